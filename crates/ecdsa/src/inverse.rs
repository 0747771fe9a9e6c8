//! Inversion modulo an odd number by Bernstein and Yang's division steps ("Fast constant-time gcd computation and
//! modular inversion", 2019), in variable time and with the bounds of libsecp256k1's `doc/safegcd_implementation.md`.

use crate::limbs::Limbs;

/// `1 / value` modulo an odd `modulus`. None if the two have a common divisor, as they have if `value` is zero.
pub(crate) fn inverse<const N: usize>(value: &Limbs<N>, modulus: &Limbs<N>) -> Option<Limbs<N>> {
    let modulus = Signed::from_limbs(modulus);
    let modulus_inverse = inverse_mod_2_62(modulus.limbs[0]);
    let (mut f, mut g) = (modulus, Signed::from_limbs(value));
    // Invariant: `f = d value` and `g = e value` modulo the modulus.
    let (mut d, mut e) = (Signed::ZERO, Signed::ONE);
    let mut eta = -1;
    for _ in 0..most_rounds(64 * N) {
        let steps = Steps::of_lowest_limbs(&mut eta, f.limbs[0], g.limbs[0]);
        (f, g) = steps.apply(&f, &g);
        (d, e) = steps.apply_modulo(&d, &e, &modulus, modulus_inverse);
        if g.is_zero() {
            break;
        }
    }
    // `f` is the greatest common divisor or its negative.
    let negative = f.top < 0;
    if !g.is_zero() || f.negate_if(negative) != Signed::ONE {
        return None;
    }
    Some(d.reduce(negative, &modulus).to_limbs())
}

/// Enough rounds of 62 division steps for numbers of `bits` bits (Bernstein and Yang, theorem 11.2).
const fn most_rounds(bits: usize) -> usize {
    ((49 * bits + 57) / 17).div_ceil(62)
}

const LOW_62: i64 = i64::MAX >> 1;

/// `1 / limb mod 2^62` for an odd `limb`.
fn inverse_mod_2_62(limb: i64) -> i64 {
    let limb = limb as u64;
    let mut inverse = limb;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(limb.wrapping_mul(inverse)));
    }
    inverse as i64 & LOW_62
}

/// The effect of 62 division steps on `f` and `g`: `2^62 f' = u f + v g` and `2^62 g' = q f + r g`.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Steps {
    /// Computes the steps from the lowest 62 bits of `f` and `g`.
    #[inline(always)]
    fn of_lowest_limbs(eta: &mut i64, f: i64, g: i64) -> Self {
        let (mut f, mut g) = (f as u64, g as u64);
        let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
        let mut left = 62;
        loop {
            // One step per trailing zero of `g`: each halves `g`.
            let zeros = (g | u64::MAX << left).trailing_zeros();
            g >>= zeros;
            u <<= zeros;
            v <<= zeros;
            *eta -= i64::from(zeros);
            left -= zeros;
            if left == 0 {
                return Steps { u: u as i64, v: v as i64, q: q as i64, r: r as i64 };
            }
            if *eta < 0 {
                *eta = -*eta;
                (f, g) = (g, f.wrapping_neg());
                (u, q) = (q, u.wrapping_neg());
                (v, r) = (r, v.wrapping_neg());
            }
            // Adding `f` `times` times clears low bits of `g`, which is the effect of the next steps, up to the next
            // swap.
            let steps = left.min(*eta as u32 + 1).min(6);
            let mask = u64::MAX >> (64 - steps);
            let minus_inverse_of_f = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
            let times = minus_inverse_of_f.wrapping_mul(g) & mask;
            g = g.wrapping_add(f.wrapping_mul(times));
            q = q.wrapping_add(u.wrapping_mul(times));
            r = r.wrapping_add(v.wrapping_mul(times));
        }
    }

    fn apply<const N: usize>(&self, f: &Signed<N>, g: &Signed<N>) -> (Signed<N>, Signed<N>) {
        (combine(self.u, f, self.v, g), combine(self.q, f, self.r, g))
    }

    fn apply_modulo<const N: usize>(
        &self,
        d: &Signed<N>,
        e: &Signed<N>,
        modulus: &Signed<N>,
        modulus_inverse: i64,
    ) -> (Signed<N>, Signed<N>) {
        (
            combine_modulo(self.u, d, self.v, e, modulus, modulus_inverse),
            combine_modulo(self.q, d, self.r, e, modulus, modulus_inverse),
        )
    }
}

/// `(a x + b y) / 2^62`, which is an integer.
#[inline(always)]
fn combine<const N: usize>(a: i64, x: &Signed<N>, b: i64, y: &Signed<N>) -> Signed<N> {
    let mut sum = (wide(a, x.limbs[0]) + wide(b, y.limbs[0])) >> 62;
    let mut result = Signed::ZERO;
    for i in 1..N {
        sum += wide(a, x.limbs[i]) + wide(b, y.limbs[i]);
        result.limbs[i - 1] = sum as i64 & LOW_62;
        sum >>= 62;
    }
    sum += wide(a, x.top) + wide(b, y.top);
    result.limbs[N - 1] = sum as i64 & LOW_62;
    result.top = (sum >> 62) as i64;
    result
}

/// `(a x + b y) / 2^62` modulo the modulus. Arguments `x` and `y` and the result are between minus two times the
/// modulus and the modulus.
#[inline(always)]
fn combine_modulo<const N: usize>(
    a: i64,
    x: &Signed<N>,
    b: i64,
    y: &Signed<N>,
    modulus: &Signed<N>,
    modulus_inverse: i64,
) -> Signed<N> {
    // Adds the modulus to negative `x` and `y`, then the multiple of it that makes the lowest 62 bits zero.
    let times = (a & x.top >> 63) + (b & y.top >> 63);
    let low = a.wrapping_mul(x.limbs[0]).wrapping_add(b.wrapping_mul(y.limbs[0]));
    let times = times - (modulus_inverse.wrapping_mul(low).wrapping_add(times) & LOW_62);
    let mut sum = (wide(a, x.limbs[0]) + wide(b, y.limbs[0]) + wide(times, modulus.limbs[0])) >> 62;
    let mut result = Signed::ZERO;
    for i in 1..N {
        sum += wide(a, x.limbs[i]) + wide(b, y.limbs[i]) + wide(times, modulus.limbs[i]);
        result.limbs[i - 1] = sum as i64 & LOW_62;
        sum >>= 62;
    }
    sum += wide(a, x.top) + wide(b, y.top) + wide(times, modulus.top);
    result.limbs[N - 1] = sum as i64 & LOW_62;
    result.top = (sum >> 62) as i64;
    result
}

#[inline(always)]
fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// An integer of `N + 1` limbs of 62 bits, the lowest first; the top limb has the sign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Signed<const N: usize> {
    limbs: [i64; N],
    top: i64,
}

impl<const N: usize> Signed<N> {
    const ZERO: Self = Signed { limbs: [0; N], top: 0 };
    const ONE: Self = {
        let mut one = Self::ZERO;
        one.limbs[0] = 1;
        one
    };

    /// `N` limbs of 64 bits fit in `N + 1` limbs of 62 bits, shifted two bits further at each limb.
    fn from_limbs(limbs: &Limbs<N>) -> Self {
        let mut signed = Self::ZERO;
        let mut above = 0;
        for (i, limb) in limbs.iter().enumerate() {
            signed.limbs[i] = (above | limb << (2 * i)) as i64 & LOW_62;
            above = limb >> (62 - 2 * i);
        }
        signed.top = above as i64;
        signed
    }

    /// Converts a number that is not negative and fits in `N` limbs.
    fn to_limbs(self) -> Limbs<N> {
        std::array::from_fn(|i| {
            let above = if i + 1 < N { self.limbs[i + 1] } else { self.top };
            self.limbs[i] as u64 >> (2 * i) | (above as u64) << (62 - 2 * i)
        })
    }

    fn is_zero(&self) -> bool {
        self.limbs.iter().fold(self.top, |bits, limb| bits | limb) == 0
    }

    fn negate_if(&self, negative: bool) -> Self {
        if negative { self.plus_times(-2, self) } else { *self }
    }

    /// Reduces the number, or its negative if `negative`, from between minus two times the modulus and the modulus to
    /// between zero and the modulus.
    fn reduce(&self, negative: bool, modulus: &Self) -> Self {
        let mut reduced = *self;
        if reduced.top < 0 {
            reduced = reduced.plus_times(1, modulus);
        }
        reduced = reduced.negate_if(negative);
        if reduced.top < 0 {
            reduced = reduced.plus_times(1, modulus);
        }
        reduced
    }

    /// `self + factor other`.
    fn plus_times(&self, factor: i64, other: &Self) -> Self {
        let mut sum = 0;
        let mut result = Self::ZERO;
        for i in 0..N {
            sum += self.limbs[i] + factor * other.limbs[i];
            result.limbs[i] = sum & LOW_62;
            sum >>= 62;
        }
        result.top = sum + self.top + factor * other.top;
        result
    }
}
