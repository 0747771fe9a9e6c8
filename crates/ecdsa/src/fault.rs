//! The places where a test can inject a fault (feature `test-hooks`). In any other build these functions do nothing.

#[cfg(feature = "test-hooks")]
pub(crate) use crate::test_hooks::fault::*;

#[cfg(not(feature = "test-hooks"))]
pub(crate) use nothing::*;

#[cfg(not(feature = "test-hooks"))]
mod nothing {
    use crate::curve::Curve;
    use crate::limbs::Limbs;
    use crate::point::AffinePoint;
    use crate::sum::Term;

    #[inline(always)]
    pub(crate) fn in_product<const N: usize>(_product: &mut Limbs<N>) {}

    #[inline(always)]
    pub(crate) fn in_scalars<const N: usize>(_scalars: &mut [Limbs<N>; 2]) {}

    #[inline(always)]
    pub(crate) fn in_digits<C: Curve<N>, const N: usize>(_terms: &mut [Term<'_, C, N>; 2]) {}

    #[inline(always)]
    pub(crate) fn in_addends<A>(addends: A) -> A {
        addends
    }

    #[inline(always)]
    pub(crate) fn in_point<M, const N: usize>(_point: &mut AffinePoint<M, N>) {}

    #[inline(always)]
    pub(crate) fn in_doublings(_doublings: &mut u32) {}

    #[inline(always)]
    pub(crate) fn in_table<M, const N: usize>(_points: &mut [AffinePoint<M, N>]) {}
}
