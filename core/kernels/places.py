"""Arrays by their addresses, for kernels that work on very many of them."""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array


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
