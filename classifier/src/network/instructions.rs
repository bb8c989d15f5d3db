//! The instruction sets that kernels are compiled for.

#[cfg(not(all(target_arch = "wasm32", not(target_feature = "simd128"))))]
pub(super) use pulp::Arch;

/// In a browser instructions cannot be chosen at run time: a module that holds one that is not known does not load at
/// all. So the module for browsers without vectors has none.
#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Arch;

#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
impl Arch {
    pub(super) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn dispatch<Op: pulp::WithSimd>(self, op: Op) -> Op::Output {
        op.with_simd(pulp::Scalar)
    }
}
