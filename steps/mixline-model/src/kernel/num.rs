//! Numbers that carry derivatives: a formula written once over [`Num`] gives value and gradient.

use std::ops::{Add, Div, Mul, Neg, Sub};

use mixline_numerics::lanes;

/// What a kernel's formula may do with a number.
pub trait Num:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A constant.
    fn of(value: f64) -> Self;
    /// The value without derivatives.
    fn value(self) -> f64;
    /// eˣ.
    #[must_use]
    fn exp(self) -> Self;
    /// ln x; x is held above the smallest normal number.
    #[must_use]
    fn ln(self) -> Self;

    /// x^p for x ≥ 0; 0 at x = 0.
    #[inline(always)]
    #[must_use]
    fn powf(self, p: Self) -> Self {
        let power = (self.ln() * p).exp();
        if self.value() > 0.0 {
            power
        } else {
            Self::of(0.0)
        }
    }
}

impl Num for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self
    }
    #[inline(always)]
    fn exp(self) -> Self {
        lanes::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        lanes::ln(self)
    }
}

/// A value with its derivatives with respect to `N` variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<const N: usize> {
    /// The value.
    pub value: f64,
    /// The derivatives.
    pub slopes: [f64; N],
}

impl<const N: usize> Dual<N> {
    /// The `index`-th variable.
    #[inline(always)]
    #[must_use]
    pub fn variable(value: f64, index: usize) -> Self {
        let mut slopes = [0.0; N];
        slopes[index] = 1.0;
        Self { value, slopes }
    }

    #[inline(always)]
    fn chain(self, value: f64, slope: f64) -> Self {
        Self {
            value,
            slopes: self.slopes.map(|d| d * slope),
        }
    }

    #[inline(always)]
    fn join(self, other: Self, value: f64, mine: f64, theirs: f64) -> Self {
        let slopes = std::array::from_fn(|i| self.slopes[i] * mine + other.slopes[i] * theirs);
        Self { value, slopes }
    }
}

impl<const N: usize> Add for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.join(other, self.value + other.value, 1.0, 1.0)
    }
}

impl<const N: usize> Sub for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.join(other, self.value - other.value, 1.0, -1.0)
    }
}

impl<const N: usize> Mul for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.join(other, self.value * other.value, other.value, self.value)
    }
}

impl<const N: usize> Div for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let inverse = 1.0 / other.value;
        let value = self.value * inverse;
        self.join(other, value, inverse, -value * inverse)
    }
}

impl<const N: usize> Neg for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl<const N: usize> Num for Dual<N> {
    #[inline(always)]
    fn of(value: f64) -> Self {
        Self {
            value,
            slopes: [0.0; N],
        }
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.value
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let value = lanes::exp(self.value);
        self.chain(value, value)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(
            lanes::ln(self.value),
            1.0 / self.value.max(f64::MIN_POSITIVE),
        )
    }
}

/// A value with its first and second derivative with respect to one variable.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Jet {
    /// The value.
    pub value: f64,
    /// The first derivative.
    pub slope: f64,
    /// The second derivative.
    pub curvature: f64,
}

impl Jet {
    /// The variable itself, times `rate`.
    #[inline(always)]
    #[must_use]
    pub fn variable(value: f64, rate: f64) -> Self {
        Self {
            value,
            slope: rate,
            curvature: 0.0,
        }
    }

    /// g(self), given g and its first two derivatives there.
    #[inline(always)]
    fn chain(self, g: f64, g1: f64, g2: f64) -> Self {
        Self {
            value: g,
            slope: g1 * self.slope,
            curvature: g2 * self.slope * self.slope + g1 * self.curvature,
        }
    }
}

impl Add for Jet {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            slope: self.slope + other.slope,
            curvature: self.curvature + other.curvature,
        }
    }
}

impl Sub for Jet {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + (-other)
    }
}

impl Mul for Jet {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            value: self.value * other.value,
            slope: self.slope * other.value + self.value * other.slope,
            curvature: self.curvature * other.value
                + 2.0 * self.slope * other.slope
                + self.value * other.curvature,
        }
    }
}

impl Div for Jet {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let inverse = 1.0 / other.value;
        let square = inverse * inverse;
        self * other.chain(inverse, -square, 2.0 * square * inverse)
    }
}

impl Neg for Jet {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0, 0.0)
    }
}

impl Num for Jet {
    #[inline(always)]
    fn of(value: f64) -> Self {
        Self::variable(value, 0.0)
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.value
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let value = lanes::exp(self.value);
        self.chain(value, value, value)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        let inverse = 1.0 / self.value.max(f64::MIN_POSITIVE);
        self.chain(lanes::ln(self.value), inverse, -inverse * inverse)
    }
}
