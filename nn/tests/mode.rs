//! The mode comes back whatever happens.
#![allow(missing_docs)]

use autodiff::is_recording;
use nn::{evaluate, evaluating, is_training};

fn modes() -> (bool, bool) {
    (is_training(), is_recording())
}

#[test]
fn evaluation_nests() {
    assert_eq!(modes(), (true, true));
    let answer = evaluate(|| {
        assert_eq!(modes(), (false, false));
        evaluating(|| assert_eq!(modes(), (false, false)));
        evaluate(|| assert_eq!(modes(), (false, false)));
        assert_eq!(modes(), (false, false));
        42
    });
    assert_eq!((answer, modes()), (42, (true, true)));
    evaluating(|| {
        assert_eq!(modes(), (false, true));
        evaluate(|| assert_eq!(modes(), (false, false)));
        assert_eq!(modes(), (false, true));
    });
    assert_eq!(modes(), (true, true));
}

#[test]
fn a_panic_restores_the_mode() {
    let result = std::panic::catch_unwind(|| evaluate(|| evaluating(|| panic!("on purpose"))));
    assert!(result.is_err());
    assert_eq!(modes(), (true, true));
}

#[test]
fn the_mode_belongs_to_the_thread() {
    evaluate(|| std::thread::spawn(|| assert_eq!(modes(), (true, true))).join().unwrap());
}
