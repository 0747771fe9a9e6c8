//! Tables of a point's multiples, which a scalar's digits select.

use crate::curve::Curve;
use crate::fault;
use crate::key_refused::KeyRefused;
use crate::limbs::{self, Limbs};
use crate::limits::GENERATOR_WINDOW_BITS;
use crate::point::{AffinePoint, Point};
use crate::recode::Windows;
use crate::residue::{Modulus, Residue};
use crate::{checks, vetting};

/// The two tables for verifying a signature.
pub(crate) struct KeyTables<C: Curve<N>, const N: usize> {
    pub(crate) generator: &'static Table<C, N>,
    pub(crate) key: Table<C, N>,
}

impl<C: Curve<N>, const N: usize> KeyTables<C, N> {
    /// Computes the tables of a key, an uncompressed point (SEC 1 section 2.3.4).
    pub(crate) fn new(point: &[u8], window_bits: u32) -> Result<Self, KeyRefused> {
        let coordinates = point.strip_prefix(&[4]).filter(|coordinates| coordinates.len() == 16 * N);
        let (x, y) = coordinates.ok_or(KeyRefused::Point)?.split_at(8 * N);
        let coordinates = [x, y].map(limbs::from_be_bytes);
        if coordinates.iter().any(|coordinate| !limbs::is_less(coordinate, &C::Prime::MODULUS)) {
            return Err(KeyRefused::Point);
        }
        let key = Table::new(coordinates, window_bits)?;
        Ok(KeyTables { generator: C::generator().ok_or(KeyRefused::Tables)?, key })
    }
}

/// For a point `P` and each window `i` of a scalar: the multiples of `radix^i P` by 1, 2 and so on to the largest
/// digit.
pub(crate) struct Table<C: Curve<N>, const N: usize> {
    windows: Windows,
    pairs: Box<[Pair<C, N>]>,
}

/// Aligned to cache lines, so that a point of P-256 is in one line and a point of P-384 in two.
#[repr(align(64))]
struct Pair<C: Curve<N>, const N: usize>([AffinePoint<C::Prime, N>; 2]);

impl<C: Curve<N>, const N: usize> Table<C, N> {
    pub(crate) fn of_generator() -> Option<Self> {
        Self::new(C::GENERATOR, GENERATOR_WINDOW_BITS).ok()
    }

    /// Computes and proves the table of the point with these coordinates.
    fn new(coordinates: [Limbs<N>; 2], window_bits: u32) -> Result<Self, KeyRefused> {
        let verified = point_of::<C::VerifiedPrime, N>(&coordinates);
        if !checks::is_on_curve::<C, N>(&verified) {
            return Err(KeyRefused::Point);
        }
        let windows = Windows { scalar_bits: 64 * N, window_bits };
        let mut point = point_of(&coordinates);
        fault::in_point(&mut point);
        let computed = Multiples::new(point, windows).ok_or(KeyRefused::Tables)?;
        let table = Self::store(computed.points, windows);
        if vetting::is_table_of(&table, &computed.slopes, &verified) { Ok(table) } else { Err(KeyRefused::Tables) }
    }

    fn store(mut points: Vec<AffinePoint<C::Prime, N>>, windows: Windows) -> Self {
        fault::in_table(&mut points);
        points.push(AffinePoint::ZERO);
        let pairs = points.chunks_exact(2).map(|pair| Pair([pair[0], pair[1]])).collect();
        Table { windows, pairs }
    }

    /// The multiple by `digit` in `window`. None if the digit is zero or larger than any digit.
    #[inline(always)]
    pub(crate) fn multiple(&self, window: usize, digit: usize) -> Option<&AffinePoint<C::Prime, N>> {
        let index = self.windows.table_index(window, digit)?;
        Some(&self.pairs.get(index / 2)?.0[index % 2])
    }

    /// All multiples in `window`.
    pub(crate) fn window(&self, window: usize) -> impl Iterator<Item = &AffinePoint<C::Prime, N>> {
        (1..=self.windows.largest_digit(window)).filter_map(move |digit| self.multiple(window, digit))
    }

    pub(crate) fn windows(&self) -> Windows {
        self.windows
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.pairs)
    }
}

fn point_of<M: Modulus<N>, const N: usize>([x, y]: &[Limbs<N>; 2]) -> AffinePoint<M, N> {
    AffinePoint { y: Residue::new(y), x: Residue::new(x) }
}

/// A point's multiples by window, not yet proven.
struct Multiples<M: Modulus<N>, const N: usize> {
    points: Vec<AffinePoint<M, N>>,
    /// The slope of the line that gave each multiple: for [`vetting::is_table_of`].
    slopes: Vec<Residue<M, N>>,
}

impl<M: Modulus<N>, const N: usize> Multiples<M, N> {
    /// Computes the multiples. None if two points to be added are opposite.
    fn new(point: AffinePoint<M, N>, windows: Windows) -> Option<Self> {
        let times_radix = |point: &Point<M, N>| {
            let mut doublings = windows.window_bits;
            fault::in_doublings(&mut doublings);
            Some((0..doublings).fold(*point, |point, _| point.double()))
        };
        let first: Vec<_> = std::iter::successors(Some(point.into()), times_radix).take(windows.count()).collect();
        let mut inverses: Vec<_> = first.iter().map(|point| point.zzz).collect();
        Residue::invert_all(&mut inverses)?;

        let each = windows.largest_digit(0);
        let mut multiples = Multiples {
            points: vec![AffinePoint::ZERO; first.len() * each],
            slopes: vec![Residue::ZERO; first.len() * each],
        };
        for ((points, first), inverse) in multiples.points.chunks_exact_mut(each).zip(first).zip(inverses) {
            points[0] = first.to_affine(inverse);
        }
        let mut known = 1;
        while known < each {
            multiples.double(known, each)?;
            known *= 2;
        }
        multiples.link_windows(each)?;
        multiples.points.truncate(windows.table_length());
        multiples.slopes.truncate(windows.table_length());
        Some(multiples)
    }

    /// Doubles the number of computed multiples in every window from `known`: adds the highest known multiple to each
    /// known one.
    ///
    /// One inversion gives the slopes of all these lines, in all windows.
    fn double(&mut self, known: usize, each: usize) -> Option<()> {
        let mut inverses = Vec::with_capacity(self.points.len() / each * known);
        for points in self.points.chunks_exact(each) {
            inverses.extend(points[..known].iter().map(|point| points[known - 1].run_to(point)));
        }
        Residue::invert_all(&mut inverses)?;
        let windows = self.points.chunks_exact_mut(each).zip(self.slopes.chunks_exact_mut(each));
        for ((points, slopes), inverses) in windows.zip(inverses.chunks_exact(known)) {
            let (lower, upper) = points.split_at_mut(known);
            let highest = lower[known - 1];
            let sums = upper.iter_mut().zip(&mut slopes[known..]);
            for ((point, inverse), (sum, slope)) in lower.iter().zip(inverses).zip(sums) {
                *slope = highest.rise_to(point) * *inverse;
                *sum = highest.add(point, *slope);
            }
        }
        Some(())
    }

    /// Computes the slopes that link each window to the one before: its first multiple is twice the last multiple of
    /// the window before.
    fn link_windows(&mut self, each: usize) -> Option<()> {
        let last_of_windows: Vec<_> = self.points.chunks_exact(each).map(|points| points[each - 1]).collect();
        let mut inverses: Vec<_> = last_of_windows.iter().map(|last| last.run_to(last)).collect();
        Residue::invert_all(&mut inverses)?;
        for ((slopes, last), inverse) in self.slopes.chunks_exact_mut(each).skip(1).zip(last_of_windows).zip(inverses) {
            slopes[0] = last.rise_to(&last) * inverse;
        }
        Some(())
    }
}
