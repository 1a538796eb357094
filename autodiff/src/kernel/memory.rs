//! The memory of arrays and nodes: blocks that are recycled through a pool.
//!
//! Fresh memory costs more than arithmetic: each new page is a fault, and a training step that gives its memory back
//! to the system pays for all of it again in the next step. So a block that nobody holds any more goes to a free list
//! of its size class, first of its thread, then of the process, and the next array of that size takes it.
//!
//! Every block is zeroed when it comes from the system and holds a plain number type ever after, so its contents,
//! though stale, are always valid values: outputs are handed out as `&mut [T]` and written once, never cleared first.
//! Debug builds fill recycled blocks with a pattern that is NaN as `f32` and `f64`, so that a kernel which forgets an
//! element shows itself.

use super::peak;
use super::tally::{ENDED, Tally, bump, tallies};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Alignment in bytes of what is allocated: a cache line, and the widest vector.
const ALIGN: usize = 64;
/// Where the data starts in a block, behind its head, and the least that they are aligned to.
pub(super) const DATA: usize = ALIGN / 2;
/// Bytes that a node of a tape takes at most.
pub(super) const NODE_BYTES: usize = 4 * ALIGN - DATA;
/// Bytes of a large page. Blocks from this size on are aligned to it, so that the system can back them with such pages
/// (see [`advise`]).
const LARGE_PAGE: usize = 1 << 21;
/// The class of what fits behind a head into one cache line: the numbers that losses are.
const TINY: usize = 0;
/// Size classes: the tiny one, multiples of 64 bytes up to 512, then eight to an octave; and that of nodes.
pub(super) const CLASSES: usize = 1 + 8 + 8 * 39 + 1;
/// The class of nodes, and of nothing else: what is alive of it is counted with it.
pub(super) const NODES: usize = CLASSES - 1;
/// Bytes that the free lists of one thread keep.
const LOCAL_CAP: usize = 1 << 29;
/// A block of so many bytes or more goes back to the process if another thread has taken it: a thread that only makes arrays
/// and one that only drops them would else take memory from the system until the list of the latter is full.
const TRAVELS: usize = 1 << 16;
/// Bytes that the free lists of the process keep besides.
const SHARED_CAP: usize = 1 << 30;

/// The head of a block; the data follow at [`DATA`].
pub(super) struct Head {
    pub(super) refs: AtomicUsize,
    /// Length in elements of the array that lives here now.
    pub(super) len: usize,
    class: usize,
    link: Link,
}

/// What a block points to.
#[derive(Clone, Copy)]
union Link {
    /// While it is held: the thread that has taken it, by the address of its tally; 0 for a thread that is ending.
    taker: usize,
    /// While it is free: the next free block of the class.
    next: Option<Block>,
}

const _: () = assert!(size_of::<Head>() <= DATA);

pub(super) type Block = NonNull<Head>;

/// The class of a request for `bytes`.
#[inline]
pub(super) fn class_of(bytes: usize) -> usize {
    if bytes <= DATA {
        return TINY;
    }
    if bytes <= 512 {
        return 1 + (bytes - 1) / 64;
    }
    let octave = (bytes - 1).ilog2() as usize; // at least 9
    9 + 8 * (octave - 9) + (((bytes - 1) >> (octave - 3)) & 7)
}

/// The bytes that a block of each class holds.
static BYTES: [usize; CLASSES] = {
    let mut bytes = [DATA; CLASSES];
    let mut class = 1;
    while class < NODES {
        let (octave, eighths) = ((class as u64 - 1) / 8, (class as u64 - 1) % 8);
        // Where addresses have 32 bits, the largest classes are never asked for.
        bytes[class] = if octave == 0 { 64 * class } else { ((9 + eighths) << (5 + octave)) as usize };
        class += 1;
    }
    bytes[NODES] = NODE_BYTES;
    bytes
};

/// The bytes that a block of `class` holds.
#[inline]
pub(super) fn class_bytes(class: usize) -> usize {
    BYTES[class]
}

/// Where a block of `class` begins in what is allocated for it: where its data start a cache line, unless they share the
/// first one with the head.
fn lead(class: usize) -> usize {
    if matches!(class, TINY | NODES) { 0 } else { ALIGN - DATA }
}

fn layout(class: usize) -> Layout {
    let bytes = lead(class) + DATA + class_bytes(class);
    Layout::from_size_align(bytes, if bytes < LARGE_PAGE { ALIGN } else { LARGE_PAGE })
        .expect("requests are checked against the address space")
}

/// Free blocks by class, linked through their heads.
struct FreeLists {
    first: [Option<Block>; CLASSES],
    bytes: usize,
}

// SAFETY: a free block is owned by the list that holds it alone, and may be freed or reused on any thread.
unsafe impl Send for FreeLists {}

impl FreeLists {
    const fn new() -> Self {
        Self { first: [None; CLASSES], bytes: 0 }
    }

    #[inline]
    fn pop(&mut self, class: usize) -> Option<Block> {
        let block = self.first[class]?;
        // SAFETY: a free block is alive and owned by this list; its link is that of free blocks.
        self.first[class] = unsafe { block.as_ref().link.next };
        self.bytes -= class_bytes(class);
        Some(block)
    }

    /// Takes over a block that nobody refers to.
    #[inline]
    fn push(&mut self, class: usize, mut block: Block) {
        // SAFETY: the caller has given the block up, so it is ours alone.
        unsafe { block.as_mut() }.link.next = self.first[class];
        self.first[class] = Some(block);
        self.bytes += class_bytes(class);
    }

    /// Gives all blocks back to the system.
    fn clear(&mut self) {
        for class in 0..CLASSES {
            while let Some(block) = self.pop(class) {
                // SAFETY: the block came from `allocate` and was owned by the list alone.
                unsafe { free(block, class) };
            }
        }
    }
}

static SHARED: Mutex<FreeLists> = Mutex::new(FreeLists::new());
/// Bytes in [`SHARED`], readable without its lock.
static SHARED_BYTES: AtomicUsize = AtomicUsize::new(0);

fn shared() -> MutexGuard<'static, FreeLists> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The free lists and the tally of one thread.
struct Local {
    free: FreeLists,
    tally: Arc<Tally>,
}

impl Local {
    fn new() -> Self {
        let tally = Arc::new(Tally::new());
        tallies().push(tally.clone());
        Self { free: FreeLists::new(), tally }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let mut list = tallies();
        list.retain(|tally| !Arc::ptr_eq(tally, &self.tally));
        self.tally.add_to(&ENDED);
        drop(list);
        let mut shared = shared();
        for class in 0..CLASSES {
            while let Some(block) = self.free.pop(class) {
                shared.push(class, block);
            }
        }
        if shared.bytes > SHARED_CAP {
            shared.clear();
        }
        SHARED_BYTES.store(shared.bytes, Ordering::Relaxed);
    }
}

thread_local! {
    static LOCAL: RefCell<Local> = RefCell::new(Local::new());
}

/// Takes a block of `class` from the pool or the system. Its contents are valid numbers of any kind.
#[inline]
pub(super) fn take_block(class: usize) -> Block {
    peak::count(class_bytes(class) as i64);
    let pooled = LOCAL.try_with(|local| {
        let local = &mut *local.borrow_mut();
        bump(&local.tally.live[class], 1);
        bump(&local.tally.taken, 1);
        (local.free.pop(class), Arc::as_ptr(&local.tally).addr())
    });
    let taker = pooled.as_ref().map_or(0, |&(_, taker)| taker);
    if let Ok((Some(mut block), _)) = pooled {
        // SAFETY: the list has given the block up, so it is ours alone.
        unsafe { block.as_mut() }.link.taker = taker;
        #[cfg(debug_assertions)]
        poison(block, class);
        return block;
    }
    let mut block = take_elsewhere(class, pooled.is_ok());
    // SAFETY: as above.
    unsafe { block.as_mut() }.link.taker = taker;
    block
}

/// The same when the thread has no such block; `counted` says whether it has counted this one.
#[cold]
fn take_elsewhere(class: usize, counted: bool) -> Block {
    if !counted {
        // The thread is ending and its pool is gone.
        ENDED.live[class].fetch_add(1, Ordering::Relaxed);
        ENDED.taken.fetch_add(1, Ordering::Relaxed);
    }
    if SHARED_BYTES.load(Ordering::Relaxed) > 0 {
        let mut shared = shared();
        let block = shared.pop(class);
        SHARED_BYTES.store(shared.bytes, Ordering::Relaxed);
        if let Some(block) = block {
            #[cfg(debug_assertions)]
            poison(block, class);
            return block;
        }
    }
    if LOCAL.try_with(|local| bump(&local.borrow().tally.fresh, 1)).is_err() {
        ENDED.fresh.fetch_add(1, Ordering::Relaxed);
    }
    allocate(class)
}

fn allocate(class: usize) -> Block {
    let layout = layout(class);
    // SAFETY: the layout is not empty: `DATA` bytes at least.
    let Some(start) = NonNull::new(unsafe { alloc(layout) }) else {
        handle_alloc_error(layout);
    };
    advise(start, layout.size());
    // SAFETY: these bytes have just been allocated.
    unsafe { start.write_bytes(0, layout.size()) };
    // SAFETY: the layout has `lead` bytes before the block, and is aligned, as those are, to more than the head needs; it
    // is large enough for the head, and owned by us.
    unsafe {
        let block = start.add(lead(class)).cast::<Head>();
        block.write(Head { refs: AtomicUsize::new(1), len: 0, class, link: Link { taker: 0 } });
        block
    }
}

/// Gives a block back to the system.
///
/// # Safety
/// The block is of this class, came from [`allocate`], and is not used again.
unsafe fn free(block: Block, class: usize) {
    // SAFETY: the block begins `lead` bytes after what was allocated with this layout.
    unsafe { dealloc(block.cast::<u8>().sub(lead(class)).as_ptr(), layout(class)) };
}

/// Asks the system to back the large pages that lie within a new block by such, before it is written for the first time:
/// one fault instead of 512, and one entry in the processor's tables.
#[cfg(target_os = "linux")]
fn advise(start: NonNull<u8>, bytes: usize) {
    use std::ffi::{c_int, c_void};
    const MADV_HUGEPAGE: c_int = 14;
    unsafe extern "C" {
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }
    let whole = bytes - bytes % LARGE_PAGE;
    if whole > 0 {
        // SAFETY: the range lies within a block that the caller has just allocated, and starts with it, aligned to a page;
        // the advice changes no contents. Systems without large pages report an error, which is no matter.
        unsafe { madvise(start.as_ptr().cast(), whole, MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: NonNull<u8>, _: usize) {}

#[cfg(debug_assertions)]
fn poison(block: Block, class: usize) {
    // SAFETY: the block is owned by the caller and holds `class_bytes(class)` bytes, a multiple of 8, from `DATA` on.
    let words = unsafe {
        std::slice::from_raw_parts_mut(
            block.cast::<u8>().add(DATA).cast::<u64>().as_ptr(),
            class_bytes(class) / 8,
        )
    };
    words.fill(0x7ff8_beef_7fed_beef);
}

/// Gives back a block that nobody refers to any more.
#[inline]
pub(super) fn give_block(block: Block) {
    // SAFETY: the caller held the last reference, so the head is ours to read; its link is that of held blocks.
    let (class, taker) = unsafe { (block.as_ref().class, block.as_ref().link.taker) };
    peak::count(-(class_bytes(class) as i64));
    let kept = LOCAL.try_with(|local| {
        let local = &mut *local.borrow_mut();
        bump(&local.tally.live[class], -1);
        let ours = class_bytes(class) < TRAVELS || taker == Arc::as_ptr(&local.tally).addr();
        let room = ours && local.free.bytes < LOCAL_CAP;
        if room {
            local.free.push(class, block);
        }
        room
    });
    if kept != Ok(true) {
        give_elsewhere(block, class, kept.is_ok());
    }
}

/// The same when the thread does not keep the block; `counted` says whether it has counted this one.
#[cold]
fn give_elsewhere(block: Block, class: usize, counted: bool) {
    if !counted {
        ENDED.live[class].fetch_sub(1, Ordering::Relaxed);
    }
    let mut shared = shared();
    shared.push(class, block);
    if shared.bytes > SHARED_CAP {
        // The sizes in here are not the ones in demand: start again.
        shared.clear();
    }
    SHARED_BYTES.store(shared.bytes, Ordering::Relaxed);
}

/// The buffers and the nodes that this thread has taken less those that it has given back.
pub(crate) fn held_by_thread() -> (i64, i64) {
    let counted = LOCAL.try_with(|local| {
        let tally = &local.borrow().tally;
        let live = |class: usize| tally.live[class].load(Ordering::Relaxed);
        ((0..NODES).map(live).sum(), live(NODES))
    });
    // A thread that is ending counts with the others.
    counted.unwrap_or_default()
}

/// Gives the free blocks of this thread and of the process back to the system.
///
/// Useful after a phase with other sizes than the next; the pool is otherwise capped by itself.
pub fn trim() {
    // A thread that is ending has given its blocks away already.
    let _ = LOCAL.try_with(|local| local.borrow_mut().free.clear());
    let mut shared = shared();
    shared.clear();
    SHARED_BYTES.store(0, Ordering::Relaxed);
}

/// Counts one more reference to a block.
#[inline]
pub(super) fn retain(block: Block) {
    // SAFETY: the caller holds a reference, so the block is alive. Relaxed suffices to add to a count of at least one.
    let before = unsafe { block.as_ref() }.refs.fetch_add(1, Ordering::Relaxed);
    assert!(before < isize::MAX as usize, "a block has too many references");
}

/// Counts one reference less; whether it was the last, and the block is the caller's to clear and give back.
#[inline]
pub(super) fn release(block: Block) -> bool {
    // SAFETY: the block is alive until the last reference has passed this function.
    let refs = unsafe { &block.as_ref().refs };
    // A sole owner need not subtract: nobody else can touch the count. Acquire: what others did comes before.
    if refs.load(Ordering::Acquire) == 1 {
        return true;
    }
    if refs.fetch_sub(1, Ordering::Release) != 1 {
        return false;
    }
    fence(Ordering::Acquire);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_it_is_asked_for_and_wastes_at_most_an_eighth() {
        for bytes in (0..5000).chain((12..40).flat_map(|e| [(1 << e) - 1, 1 << e, (1 << e) + 1, 3 << e])) {
            let class = class_of(bytes);
            assert!(class < CLASSES);
            let held = class_bytes(class);
            assert!(held >= bytes, "{bytes} in class {class} of {held}");
            assert!(held <= (bytes + bytes / 8 + 64), "{bytes} in class {class} of {held}");
            assert!(class == 0 || class_bytes(class - 1) < bytes, "{bytes} would fit class {}", class - 1);
        }
    }

    #[test]
    fn large_blocks_start_with_a_large_page_and_are_zero() {
        for bytes in [LARGE_PAGE / 2, LARGE_PAGE, 2 * LARGE_PAGE + 1] {
            let class = class_of(bytes);
            let block = allocate(class);
            let start = block.cast::<u8>().as_ptr();
            // SAFETY: the block is ours alone and holds as many bytes.
            let data = unsafe { std::slice::from_raw_parts(start.add(DATA), class_bytes(class)) };
            assert!(data.iter().all(|&byte| byte == 0));
            let align = if bytes < LARGE_PAGE { ALIGN } else { LARGE_PAGE };
            assert_eq!((start as usize - lead(class)) % align, 0);
            assert_eq!(data.as_ptr() as usize % ALIGN, 0);
            // SAFETY: it came from `allocate`.
            unsafe { free(block, class) };
        }
    }

    #[test]
    fn large_blocks_of_other_threads_go_back_to_the_process() {
        let class = class_of(98_765_432);
        let (send, receive) = std::sync::mpsc::channel();
        let (ask, asked) = std::sync::mpsc::channel::<()>();
        let maker = std::thread::spawn(move || {
            for () in asked {
                send.send(take_block(class).as_ptr().expose_provenance()).expect("the other thread listens");
            }
        });
        let next = || {
            ask.send(()).expect("the maker is alive");
            receive.recv().expect("the maker answers")
        };
        let first = next();
        // SAFETY: the address is that of a live block, which the other thread has given up.
        give_block(unsafe { Block::new_unchecked(std::ptr::with_exposed_provenance_mut(first)) });
        assert_eq!(next(), first, "the maker takes the block again");
        drop(ask);
        maker.join().expect("the maker ends well");
    }

    #[test]
    fn blocks_of_other_threads_are_taken_over_when_they_end() {
        let class = class_of(123_456_789);
        std::thread::spawn(move || give_block(take_block(class))).join().expect("the thread ends well");
        let kept = shared().first[class];
        assert!(kept.is_some(), "the block is in the shared list");
    }
}
