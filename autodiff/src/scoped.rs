//! Settings of a thread that hold for the length of a call.

use std::cell::Cell;
use std::thread::LocalKey;

/// Runs `body` with `flag` set to `value`, and sets it back, also when `body` panics.
pub(crate) fn scoped<R>(flag: &'static LocalKey<Cell<bool>>, value: bool, body: impl FnOnce() -> R) -> R {
    struct Restore(&'static LocalKey<Cell<bool>>, bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    let _restore = Restore(flag, flag.replace(value));
    body()
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static FLAG: Cell<bool> = const { Cell::new(false) };
    }

    #[test]
    fn the_flag_is_put_back_whatever_happens() {
        let seen = scoped(&FLAG, true, || (FLAG.get(), scoped(&FLAG, false, || FLAG.get()), FLAG.get()));
        assert_eq!((seen, FLAG.get()), ((true, false, true), false));
        let panicked = std::panic::catch_unwind(|| scoped(&FLAG, true, || panic!("on purpose")));
        assert!(panicked.is_err() && !FLAG.get());
    }
}
