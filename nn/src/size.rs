//! [`Size`]: a number for each axis of space.

/// Something for each of `D` axes of space, such as the height and the width of an image: one number for all, or a list,
/// `[height, width]`.
///
/// ```
/// use nn::Size;
/// assert_eq!(Size::from(3), Size::from([3, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size<const D: usize>(pub [usize; D]);

impl<const D: usize> From<usize> for Size<D> {
    fn from(all: usize) -> Self {
        Self([all; D])
    }
}

impl<const D: usize> From<[usize; D]> for Size<D> {
    fn from(each: [usize; D]) -> Self {
        Self(each)
    }
}

/// Writes settings of a layer that are a size each, in its `options`: `setting`.
macro_rules! sizes {
    ($($(#[$about:meta])* $setting:ident;)*) => {
        $(
            $(#[$about])*
            #[must_use]
            pub fn $setting(mut self, $setting: impl Into<$crate::Size<D>>) -> Self {
                self.options.$setting = $setting.into().0;
                self
            }
        )*
    };
}

pub(crate) use sizes;
