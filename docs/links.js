// Pages link to files of the repository as they lie from `docs/`. From `target/book/`, they lie one folder further up; and
// mdBook has taken those that end in `.md` for pages.
for (const link of document.querySelectorAll('main a[href^="../"]')) {
  link.setAttribute('href', '../' + link.getAttribute('href').replace(/\.html(?=#|$)/, '.md'));
}
