"""Reads the golden event file with TensorBoard's own readers, and holds what they find to what was written.

Needs `tensorboard` (checked with 2.21). The file is written by `UPDATE_EVENTS=1 cargo test -p train --test tensorboard`.
"""

import math
import pathlib

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

path = str(pathlib.Path(__file__).with_name("events.out.tfevents.golden"))

# Every record, its checksums held; those that TensorBoard turns into tensors of its newer kind.
events = list(EventFileLoader(path).Load())
assert len(events) == 9, len(events)
assert events[0].file_version == "brain.Event:2"
assert all(event.wall_time == 1_700_000_000.5 for event in events)
plugins = [event.summary.value[0].metadata.plugin_data.plugin_name for event in events[1:]]
assert plugins == ["scalars"] * 4 + ["histograms"] * 2 + ["images"] * 2, plugins

board = EventAccumulator(path)
board.Reload()
tags = board.Tags()
assert tags["scalars"] == ["step/loss"], tags
assert tags["histograms"] == ["parameters/weight", "parameters/bias"], tags
assert tags["images"] == ["grey", "red"], tags

losses = [(event.step, event.value) for event in board.Scalars("step/loss")]
assert losses[:2] == [(0, 2.5), (300, 0.125)] and losses[3] == (900, math.inf), losses
assert losses[2][0] == 600 and math.isnan(losses[2][1]), losses

weight = board.Histograms("parameters/weight")[0]
spread = [(i / 100.0 - 5.0) ** 3 for i in range(1000)]
histogram = weight.histogram_value
assert weight.step == 900 and histogram.num == 1000 and sum(histogram.bucket) == 1000
assert histogram.min == min(spread) and math.isclose(histogram.max, max(spread))
assert math.isclose(histogram.sum, sum(spread)) and len(histogram.bucket_limit) == 30
bias = board.Histograms("parameters/bias")[0].histogram_value
assert list(bias.bucket) == [3.0] and list(bias.bucket_limit) == [0.5]

grey, red = (board.Images(tag)[0] for tag in ("grey", "red"))
assert (grey.step, grey.width, grey.height) == (900, 2, 3)
assert (red.width, red.height) == (1, 1)
assert all(image.encoded_image_string.startswith(b"\x89PNG\r\n\x1a\n") for image in (grey, red))
print("TensorBoard reads", len(events), "events")
