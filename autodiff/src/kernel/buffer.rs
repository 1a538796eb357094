//! What lives in the pool's blocks: the numbers of arrays, shared or being written, and the nodes of tapes.

use super::memory::{Block, DATA, NODE_BYTES, NODES, class_of, give_block, release, retain, take_block};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

/// What an array may hold: plain numbers.
///
/// # Safety
/// Every bit pattern is a valid value, there is no padding, and the alignment is at most that of a block, 32 bytes.
#[allow(clippy::missing_safety_doc)]
pub unsafe trait Element:
    Copy + Send + Sync + PartialEq + std::fmt::Debug + Default + 'static
{
    /// The same number in double precision, if its type has numbers that are not whole: printing goes by it.
    fn to_real(self) -> Option<f64> {
        None
    }
}

// SAFETY: primitive numbers: all bit patterns valid, no padding, aligned to at most 8 bytes.
unsafe impl Element for f32 {
    fn to_real(self) -> Option<f64> {
        Some(f64::from(self))
    }
}
// SAFETY: as above.
unsafe impl Element for f64 {
    fn to_real(self) -> Option<f64> {
        Some(self)
    }
}
// SAFETY: as above.
unsafe impl Element for u8 {}
// SAFETY: as above.
unsafe impl Element for u32 {}
// SAFETY: as above.
unsafe impl Element for usize {}

/// A shared, read-only block of numbers.
pub(crate) struct Buffer<T: Element> {
    block: Block,
    element: PhantomData<T>,
}

// SAFETY: a buffer is a counted reference to numbers that nobody writes while it is shared.
unsafe impl<T: Element> Send for Buffer<T> {}
// SAFETY: as above.
unsafe impl<T: Element> Sync for Buffer<T> {}

impl<T: Element> Buffer<T> {
    /// The numbers, for writing, if nobody else holds this buffer.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut [T]> {
        if !self.is_unique() {
            return None;
        }
        // SAFETY: we hold the only reference, mutably; the block holds `len` elements from `DATA` on, all valid.
        Some(unsafe { std::slice::from_raw_parts_mut(self.data(), self.block.as_ref().len) })
    }

    /// Whether this is the only reference.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        // SAFETY: the block is alive as long as we are. Acquire: writes of former holders come before ours.
        unsafe { self.block.as_ref() }.refs.load(Ordering::Acquire) == 1
    }

    #[inline]
    fn data(&self) -> *mut T {
        // SAFETY: the data start `DATA` bytes into the block, which is at least that large.
        unsafe { self.block.cast::<u8>().add(DATA) }.cast::<T>().as_ptr()
    }
}

impl<T: Element> Deref for Buffer<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the block is alive and holds `len` valid elements from `DATA` on; none is written while shared.
        unsafe { std::slice::from_raw_parts(self.data(), self.block.as_ref().len) }
    }
}

impl<T: Element> Clone for Buffer<T> {
    #[inline]
    fn clone(&self) -> Self {
        retain(self.block);
        Self { block: self.block, element: PhantomData }
    }
}

impl<T: Element> Drop for Buffer<T> {
    #[inline]
    fn drop(&mut self) {
        if release(self.block) {
            give_block(self.block);
        }
    }
}

/// A buffer that nobody else holds: an output being written, or scratch memory. Its first contents are stale values.
pub(crate) struct Fresh<T: Element>(Buffer<T>);

impl<T: Element> Fresh<T> {
    /// Takes room for `len` numbers from the pool. What they are is unspecified: write each before reading it.
    ///
    /// # Panics
    /// If the size in bytes does not fit the address space.
    #[inline]
    pub(crate) fn take(len: usize) -> Self {
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= isize::MAX as usize / 2);
        let Some(bytes) = bytes else {
            panic!("an array of {len} elements is larger than the address space")
        };
        let mut block = take_block(class_of(bytes));
        // SAFETY: we own the block alone.
        let head = unsafe { block.as_mut() };
        *head.refs.get_mut() = 1;
        head.len = len;
        Self(Buffer { block, element: PhantomData })
    }

    /// A copy of `values`.
    pub(crate) fn copy_of(values: &[T]) -> Self {
        let mut fresh = Self::take(values.len());
        fresh.copy_from_slice(values);
        fresh
    }

    /// The buffer, from now on shared and read-only.
    #[inline]
    pub(crate) fn share(self) -> Buffer<T> {
        self.0
    }
}

impl<T: Element> Deref for Fresh<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Element> DerefMut for Fresh<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: a `Fresh` is never shared: it is made with one reference and cannot be cloned.
        unsafe { std::slice::from_raw_parts_mut(self.0.data(), self.0.block.as_ref().len) }
    }
}

/// A counted reference to a value that lives in a block of the pool: an `Arc` without weak references.
///
/// Nodes of a tape live in these, and nothing else does. They come and go by the thousand in each step, and the pool spends
/// a third of the instructions of malloc and free on them (callgrind, 1000 live nodes: 130 against 395).
pub(crate) struct Shared<V> {
    block: Block,
    value: PhantomData<V>,
}

// SAFETY: like `Arc`: clones on other threads read the value, and the last of them drops it.
unsafe impl<V: Send + Sync> Send for Shared<V> {}
// SAFETY: as above.
unsafe impl<V: Send + Sync> Sync for Shared<V> {}

impl<V> Shared<V> {
    const FITS: () = assert!(align_of::<V>() <= DATA && size_of::<V>() <= NODE_BYTES);

    /// Makes a value in the pool. The block is taken first, so that the parts of the value go straight to their places.
    #[inline]
    pub(crate) fn new(make: impl FnOnce() -> V) -> Self {
        let () = Self::FITS;
        let mut block = take_block(NODES);
        // SAFETY: we own the block alone; it holds a `V` from `DATA` on, aligned to that.
        unsafe {
            *block.as_mut().refs.get_mut() = 1;
            Self::place(block).write(make());
        }
        Self { block, value: PhantomData }
    }

    #[inline]
    fn place(block: Block) -> *mut V {
        // SAFETY: the data start `DATA` bytes into the block, which is at least that large.
        unsafe { block.cast::<u8>().add(DATA) }.cast::<V>().as_ptr()
    }

    /// Where the value is; the same for all clones.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *const V {
        Self::place(self.block)
    }

    /// Whether two references are to one value.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.block == other.block
    }

    /// The value, for writing, if nobody else refers to it.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut V> {
        // SAFETY: the block is alive as long as we are. Acquire: what former holders did comes before.
        if unsafe { self.block.as_ref() }.refs.load(Ordering::Acquire) != 1 {
            return None;
        }
        // SAFETY: we hold the only reference, mutably.
        Some(unsafe { &mut *Self::place(self.block) })
    }

    /// Gives up this reference; whether it was the last.
    #[inline]
    fn release(&self) -> bool {
        release(self.block)
    }

    /// The value, if this is the last reference.
    pub(crate) fn into_inner(self) -> Option<V> {
        let this = std::mem::ManuallyDrop::new(self);
        if !this.release() {
            return None;
        }
        // SAFETY: this was the last reference, and is not dropped: the value is ours to move out, once.
        let value = unsafe { Self::place(this.block).read() };
        give_block(this.block);
        Some(value)
    }
}

impl<V> Deref for Shared<V> {
    type Target = V;
    #[inline]
    fn deref(&self) -> &V {
        // SAFETY: the value is alive as long as a reference is, and is never written.
        unsafe { &*self.as_ptr() }
    }
}

impl<V> Clone for Shared<V> {
    #[inline]
    fn clone(&self) -> Self {
        retain(self.block);
        Self { block: self.block, value: PhantomData }
    }
}

impl<V> Drop for Shared<V> {
    #[inline]
    fn drop(&mut self) {
        if self.release() {
            // SAFETY: this was the last reference; the value is dropped once, before its block is given back.
            unsafe { Self::place(self.block).drop_in_place() };
            give_block(self.block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_written_while_unique_and_shared_afterwards() {
        let mut fresh = Fresh::<f64>::take(3);
        fresh.copy_from_slice(&[1.0, 2.0, 3.0]);
        let mut a = fresh.share();
        assert_eq!(a.as_ptr() as usize % DATA, 0);
        let b = a.clone();
        assert!(a.get_mut().is_none());
        drop(b);
        a.get_mut().expect("unique again")[1] = 5.0;
        assert_eq!(*a, [1.0, 5.0, 3.0]);
    }

    #[cfg(debug_assertions)]
    #[test]
    fn recycled_memory_is_nan_in_debug_builds() {
        drop(Fresh::<f32>::take(777));
        assert!(Fresh::<f32>::take(777).iter().all(|x| x.is_nan()));
        assert!(Fresh::<f64>::take(388).iter().all(|x| x.is_nan()));
    }
}
