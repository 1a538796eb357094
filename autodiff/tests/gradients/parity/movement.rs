//! The same elements in another place.

calls! { "movement";
    reshape: |x, o| x[0].reshape(o.ints::<isize>("to"))?;
    flatten: |x, o| x[0].flatten(o.int("axis"))?;
    unsqueeze: |x, o| x[0].unsqueeze(o.int("axis"))?;
    squeeze: |x, o| x[0].squeeze(o.int("axis"))?;
    permute: |x, o| x[0].permute(o.ints::<isize>("order"))?;
    transpose: |x, o| x[0].transpose(o.int("a"), o.int("b"))?;
    t: |x, _| x[0].t()?;
    broadcast_to: |x, o| x[0].broadcast_to(o.ints::<usize>("to"))?;
    flip: |x, o| x[0].flip(o.int("axis"))?;
}
