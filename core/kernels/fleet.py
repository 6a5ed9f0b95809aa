"""A second of many intersections' estimators in one call: their arrays told by address, as handing each over costs more than using it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from . import book, kernel
from .second import CROSSING, second

ARRAYS = 34
"""How many arrays `second` takes."""
(LANES, LOOPS, LINKS, MOVEMENTS, GROUPS, EXITS, TURNS, RING, PAST, HORIZON, LIMITS, SIZES) = range(12)
"""The sizes of an intersection."""


@intrinsic
def _array(typingctx: Any, address: Any, shape: Any, kind: Any) -> Any:
    """The array of that shape and kind that lies at the address, its rows one after the other."""
    result: Any = types.Array(kind.dtype, len(shape), "C")

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, element = context.make_array(result)(context, builder), context.get_data_type(kind.dtype)
        sizes = cgutils.unpack_tuple(builder, args[1], len(shape))  # type: ignore[no-untyped-call]
        sizes = [context.cast(builder, n, t, types.intp) for n, t in zip(sizes, signature.args[1], strict=True)]
        itemsize = context.get_constant(types.intp, context.get_abi_sizeof(element))
        strides = [itemsize]
        for size in sizes[:0:-1]:
            strides.insert(0, builder.mul(strides[0], size))
        data = builder.inttoptr(args[0], element.as_pointer())
        populate_array(array, data=data, shape=sizes, strides=strides, itemsize=itemsize, meminfo=None)  # type: ignore[no-untyped-call]
        return array._getvalue()

    return result(types.int64, shape, kind), build


array: Any = _array


@kernel(lean=True)
def seconds(
    now: npt.NDArray[np.int64],
    interval: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    changed: npt.NDArray[np.bool_],
) -> None:
    """`second` for each of n intersections, which tells `changed` (n,).

    `at` (n, ARRAYS) says where its arrays lie, in its order, `sizes` (n, SIZES) how large they are.
    """
    for k in range(at.shape[0]):
        lanes, loops, links, groups = sizes[k, LANES], sizes[k, LOOPS], sizes[k, LINKS], sizes[k, GROUPS]
        exits, turns, movements = sizes[k, EXITS], sizes[k, TURNS], sizes[k, MOVEMENTS]
        changed[k] = second(
            now[k],
            interval[k],
            array(at[k, 0], (book.LANE_FIELDS, lanes), np.float64),
            array(at[k, 1], (5, lanes), np.int32),
            array(at[k, 2], (book.LOOP_FIELDS, loops), np.float64),
            array(at[k, 3], (4, loops), np.int32),
            array(at[k, 4], (3, links), np.float64),
            array(at[k, 5], (loops + 1,), np.int32),
            array(at[k, 6], (links,), np.int32),
            array(at[k, 7], (2, lanes, sizes[k, RING]), np.float64),
            array(at[k, 8], (sizes[k, PAST], loops), np.float64),
            array(at[k, 9], (3, 2), np.int32),
            array(at[k, 10], (3, turns), np.int32),
            array(at[k, 11], (lanes + 1,), np.int32),
            array(at[k, 12], (turns,), np.float64),
            array(at[k, 13], (3, exits), np.float64),
            array(at[k, 14], (lanes, movements), np.bool_),
            array(at[k, 15], (lanes, movements), np.float64),
            array(at[k, 16], (lanes, groups), np.bool_),
            array(at[k, 17], (3, groups), np.bool_),
            array(at[k, 18], (groups,), np.float64),
            array(at[k, 19], (lanes, sizes[k, HORIZON]), np.float64),
            array(at[k, 20], (book.LATELY + CROSSING,), np.float64),
            array(at[k, 21], (4,), np.float64),
            array(at[k, 22], (lanes + 1,), np.float64),
            array(at[k, 23], (max(lanes, exits, 1),), np.float64),
            array(at[k, 24], (lanes,), np.bool_),
            array(at[k, 25], (loops,), np.bool_),
            array(at[k, 26], (sizes[k, LIMITS],), np.float64),
            array(at[k, 27], (loops,), np.bool_),
            array(at[k, 28], (loops,), np.bool_),
            array(at[k, 29], (loops,), np.int32),
            array(at[k, 30], (loops,), np.int32),
            array(at[k, 31], (8, loops), np.float64),
            array(at[k, 32], (loops,), np.int32),
            array(at[k, 33], (loops,), np.float64),
        )
