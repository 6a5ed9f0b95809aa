"""Eight float32 numbers side by side: the width at which candidate plans are evaluated together.

Numba leaves loops over candidates to LLVM's vectoriser, which keeps their running state in memory; here the eight
candidates are one value in one vector register instead. Inside a kernel: `load(array, i)` takes eight consecutive
elements of a float32 array in the order they lie in, `store` puts them back, `splat` repeats one number; `+ - *` work
element by element, `smaller`, `larger`, `size`, `below` (floor), `root`, `ratio`, `fused` (a * b + c) and `within` (x where
a <= b, else y) likewise; `total`, `least` and `most` make one number of eight. `peek` and `poke` read and write one element
of any array in the order it lies in, and know no negative index. With the compiler switched off (NUMBA_DISABLE_JIT) the
same names act on numpy arrays of eight.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numba.core.config
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

WIDTH = 8

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)


class Wide(types.Type):
    """The compiler's name for eight float32 side by side."""

    def __init__(self) -> None:
        super().__init__(name="Wide8")


wide: Any = Wide()


@register_model(Wide)
class _WideModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _spread(builder: Any, number: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, first, mask)


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    struct = context.make_array(array_type)(context, builder, array)
    return builder.gep(struct.data, [index], inbounds=True)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    return builder.bitcast(_place(context, builder, array_type, array, index), _VECTOR.as_pointer())


@intrinsic
def _load(typingctx: Any, array: Any, index: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1]))
        value.align = 4
        return value

    return wide(array, types.intp), build


@intrinsic
def _store(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        stored = builder.store(args[2], _pointer(context, builder, signature.args[0], args[0], args[1]))
        stored.align = 4
        return context.get_dummy_value()

    return types.void(array, types.intp, wide), build


@intrinsic
def _peek(typingctx: Any, array: Any, index: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature.args[0], args[0], args[1])
        return context.unpack_value(builder, signature.return_type, place)

    return array.dtype(array, types.intp), build


@intrinsic
def _poke(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature.args[0], args[0], args[1])
        context.pack_value(builder, signature.args[2], args[2], place)
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), build


@intrinsic
def _splat(typingctx: Any, number: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return wide(types.float32), build


def _chosen(test: str) -> Any:
    """An intrinsic that keeps, element by element, the operand for which `test` holds: minps and maxps."""

    @intrinsic
    def choose(typingctx: Any, a: Any, b: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.select(builder.fcmp_ordered(test, args[0], args[1]), args[0], args[1])

        return wide(wide, wide), build

    return choose


def _called(name: str, count: int) -> Any:
    """An intrinsic of `count` operands that is LLVM's own `name`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * count), f"llvm.{name}.v{WIDTH}f32"
        )
        return builder.call(function, args)

    if count == 1:

        @intrinsic
        def one(typingctx: Any, a: Any) -> Any:
            return wide(wide), build

        return one

    @intrinsic
    def three(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
        return wide(wide, wide, wide), build

    return three


def _arithmetic(symbol: Any, instruction: str) -> None:
    @type_callable(symbol)
    def typed(context: Any) -> Any:
        def both(a: Any, b: Any) -> Any:
            return wide if isinstance(a, Wide) and isinstance(b, Wide) else None

        return both

    @lower_builtin(symbol, wide, wide)  # type: ignore[no-untyped-call, untyped-decorator]
    def lowered(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, instruction)(args[0], args[1])


for _symbol, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _arithmetic(_symbol, _instruction)


@intrinsic
def _ratio(typingctx: Any, a: Any, b: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fdiv(args[0], args[1])

    return wide(wide, wide), build


@intrinsic
def _within(typingctx: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<=", args[0], args[1]), args[2], args[3])

    return wide(wide, wide, wide, wide), build


def _folded(join: Callable[[Any, Any, Any], Any]) -> Any:
    """An intrinsic that joins the upper half to the lower half until one number is left."""

    @intrinsic
    def fold(typingctx: Any, a: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            (value,) = args
            for half in (4, 2, 1):
                number = ir.VectorType(ir.IntType(32), half)
                lower, upper = (
                    builder.shuffle_vector(value, value, ir.Constant(number, list(range(begin, begin + half))))
                    for begin in (0, half)
                )
                value = join(builder, lower, upper)
            return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

        return types.float32(wide), build

    return fold


def _one_of(test: str) -> Any:
    return _folded(lambda builder, a, b: builder.select(builder.fcmp_ordered(test, a, b), a, b))


def _plain_load(array: Any, index: int) -> Any:
    return array.reshape(-1)[index : index + WIDTH].copy()


def _plain_store(array: Any, index: int, value: Any) -> None:
    array.reshape(-1)[index : index + WIDTH] = value


def _plain_poke(array: Any, index: int, value: Any) -> None:
    array.reshape(-1)[index] = value


def _plain_fold(join: Any) -> Any:
    def fold(value: Any) -> Any:
        for half in (4, 2, 1):
            value = join(value[:half], value[half:])
        return value[0]

    return fold


load: Callable[..., Any]
store: Callable[..., Any]
peek: Callable[..., Any]
poke: Callable[..., Any]
splat: Callable[..., Any]
smaller: Callable[..., Any]
larger: Callable[..., Any]
size: Callable[..., Any]
below: Callable[..., Any]
root: Callable[..., Any]
fused: Callable[..., Any]
ratio: Callable[..., Any]
within: Callable[..., Any]
total: Callable[..., Any]
least: Callable[..., Any]
most: Callable[..., Any]

if getattr(numba.core.config, "DISABLE_JIT", False):
    load, store, poke = _plain_load, _plain_store, _plain_poke
    peek = lambda array, index: array.reshape(-1)[index]  # noqa: E731
    splat = lambda number: np.full(WIDTH, number, np.float32)  # noqa: E731
    smaller, larger, size, below, root, ratio = np.minimum, np.maximum, np.abs, np.floor, np.sqrt, np.divide
    fused = lambda a, b, c: a * b + c  # noqa: E731
    within = lambda a, b, x, y: np.where(a <= b, x, y)  # noqa: E731
    total, least, most = _plain_fold(np.add), _plain_fold(np.minimum), _plain_fold(np.maximum)
else:
    load, store, peek, poke, splat, ratio, within = _load, _store, _peek, _poke, _splat, _ratio, _within
    total, least, most = _folded(lambda builder, a, b: builder.fadd(a, b)), _one_of("<"), _one_of(">")
    smaller, larger = _chosen("<"), _chosen(">")
    size, below, root, fused = _called("fabs", 1), _called("floor", 1), _called("sqrt", 1), _called("fmuladd", 3)
