use super::*;

/// The impl as text, with the whitespace of `TokenStream`.
fn expand(input: TokenStream) -> String {
    module(&syn::parse2(input).expect("a type definition")).expect("an impl").to_string()
}

fn error(input: TokenStream) -> String {
    module(&syn::parse2(input).expect("a type definition")).expect_err("an error").to_string()
}

/// The paths of the fields that the impl walks, first those of `walk`, then those of `walk_mut`.
fn names(input: TokenStream) -> [Vec<String>; 2] {
    let text = expand(input);
    let (walk, walk_mut) = text.split_once("fn walk_mut").expect("two methods");
    [walk, walk_mut].map(|method| {
        let scopes = method.split("path . scope (\"").skip(1);
        scopes.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
    })
}

/// From `impl` to the opening brace.
fn header(input: TokenStream) -> String {
    let text = expand(input);
    let start = text.find("impl").expect("an impl");
    let end = text.find("{ fn walk").expect("a method");
    text[start..end].trim().to_owned()
}

#[test]
fn a_struct_is_expanded_whole() {
    let actual = expand(quote! {
        struct Net<T: Float = f32> { conv: Conv2d<T>, #[module(skip)] log: Log, r#type: Linear<T> }
    });
    let expected = quote! {
        #[automatically_derived]
        impl<T: Float, __T: ::autodiff::Float> ::autodiff::Module<__T> for Net<T>
        where
            Conv2d<T>: ::autodiff::Module<__T>,
            Linear<T>: ::autodiff::Module<__T>
        {
            fn walk(
                &self,
                path: &mut ::autodiff::Path,
                visit: &mut dyn ::core::ops::FnMut(&str, ::autodiff::Place<'_, __T>),
            ) {
                match *self {
                    Self { conv: ref field_0, r#type: ref field_1, .. } => {
                        path.scope("conv", |path|
                            <Conv2d<T> as ::autodiff::Module<__T>>::walk(field_0, path, visit));
                        path.scope("type", |path|
                            <Linear<T> as ::autodiff::Module<__T>>::walk(field_1, path, visit));
                    }
                }
            }

            fn walk_mut(
                &mut self,
                path: &mut ::autodiff::Path,
                visit: &mut dyn ::core::ops::FnMut(&str, ::autodiff::PlaceMut<'_, __T>),
            ) {
                match *self {
                    Self { conv: ref mut field_0, r#type: ref mut field_1, .. } => {
                        path.scope("conv", |path|
                            <Conv2d<T> as ::autodiff::Module<__T>>::walk_mut(field_0, path, visit));
                        path.scope("type", |path|
                            <Linear<T> as ::autodiff::Module<__T>>::walk_mut(field_1, path, visit));
                    }
                }
            }
        }
    };
    assert_eq!(actual, expected.to_string());
}

#[test]
fn both_methods_walk_the_fields_as_declared() {
    let [walk, walk_mut] = names(quote! { struct Net { zeta: A, alpha: B, middle: A } });
    assert_eq!(walk, ["zeta", "alpha", "middle"]);
    assert_eq!(walk_mut, walk);
}

#[test]
fn the_fields_of_a_tuple_keep_their_numbers() {
    let [walk, _] = names(quote! { struct Chain(A, #[module(skip)] B, C); });
    assert_eq!(walk, ["0", "2"]);
}

#[test]
fn a_unit_struct_has_no_places() {
    let [walk, walk_mut] = names(quote! { struct Relu; });
    assert!(walk.is_empty() && walk_mut.is_empty());
}

#[test]
fn an_enum_matches_its_variants() {
    let block = quote! { enum Block { Plain { conv: A }, Wide(B, C), Pass } };
    assert_eq!(names(block.clone())[0], ["conv", "0", "1"]);
    let text = expand(block);
    for pattern in [
        quote! { Self::Plain { conv: ref field_0, .. } => },
        quote! { Self::Wide { 0: ref mut field_0, 1: ref mut field_1, .. } => },
        quote! { Self::Pass { .. } => {} },
    ] {
        assert!(text.contains(&pattern.to_string()), "{pattern} is not in {text}");
    }
}

#[test]
fn generics_keep_their_bounds_and_lose_their_defaults() {
    let actual = header(quote! {
        struct Net<'a, T: Float = f32, const N: usize = 3> where T: Copy { layers: [&'a mut Linear<T>; N] }
    });
    let expected = quote! {
        impl<'a, T: Float, const N: usize, __T: ::autodiff::Float> ::autodiff::Module<__T> for Net<'a, T, N>
        where
            T: Copy,
            [&'a mut Linear<T>; N]: ::autodiff::Module<__T>
    };
    assert_eq!(actual, expected.to_string());
}

#[test]
fn a_type_is_bounded_once_and_skipped_types_not_at_all() {
    let actual = header(quote! { struct Net { a: Linear, b: Linear, #[module(skip)] c: Log } });
    let expected = quote! {
        impl<__T: ::autodiff::Float> ::autodiff::Module<__T> for Net where Linear: ::autodiff::Module<__T>
    };
    assert_eq!(actual, expected.to_string());
}

#[test]
fn a_type_that_contains_itself_is_not_bounded_by_itself() {
    let expected = quote! {
        impl<__T: ::autodiff::Float> ::autodiff::Module<__T> for Tree where raw::Tree: ::autodiff::Module<__T>
    };
    let actual = header(quote! { struct Tree { a: Vec<Tree>, b: (Option<Box<Self>>,), c: raw::Tree } });
    assert_eq!(actual, expected.to_string());
}

#[test]
fn errors_say_what_is_wrong() {
    assert_eq!(
        error(quote! { union Bits { a: f32, b: u32 } }),
        "`Module` cannot be derived for a union: nothing tells which field it holds",
    );
    assert_eq!(
        error(quote! { struct Net { #[module(frozen)] a: Linear } }),
        "unknown option `frozen`: a field takes `#[module(skip)]`",
    );
    for misplaced in [
        quote! { #[module(skip)] struct Net { a: Linear } },
        quote! { enum Block { #[module(skip)] Plain(Linear) } },
    ] {
        assert_eq!(error(misplaced), "`#[module(..)]` is an attribute of fields only");
    }
}
