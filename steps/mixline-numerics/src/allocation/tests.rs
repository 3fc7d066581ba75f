//! The optimum beside exhaustive search, certificates, and constraints that contradict each other.

use proptest::prelude::*;

use super::*;

/// A · s(x): logistic where the power is 0, else Hill with that slope.
#[derive(Debug, Clone)]
struct Curve {
    height: f64,
    scale: f64,
    power: f64,
}

impl Curve {
    fn at(&self, x: f64) -> Point {
        let Self {
            height,
            scale,
            power,
        } = *self;
        if power == 0.0 {
            let f = (0.5 * x / scale).tanh();
            let half = 0.5 * (1.0 - f * f);
            return Point {
                value: height * f,
                slope: height * half / scale,
                curvature: -height * half * f / (scale * scale),
            };
        }
        if x <= 0.0 {
            let slope = if power == 1.0 { height / scale } else { 0.0 };
            return Point {
                value: 0.0,
                slope,
                curvature: 0.0,
            };
        }
        let u = (x / scale).powf(power);
        let (value, below) = (u / (1.0 + u), 1.0 + u);
        let slope = power * u / (x * below * below);
        let curvature = slope * (power - 1.0 - (power + 1.0) * u) / (x * below);
        Point {
            value: height * value,
            slope: height * slope,
            curvature: height * curvature,
        }
    }
}

#[derive(Debug)]
struct Curves(Vec<Curve>);

impl Objective for Curves {
    fn response(&self, cell: usize, x: f64) -> Point {
        self.0[cell].at(x)
    }
    fn concave(&self, cell: usize) -> bool {
        self.0[cell].power <= 1.0
    }
}

fn curve(s_shaped: bool) -> impl Strategy<Value = Curve> {
    let power = if s_shaped {
        prop_oneof![Just(0.0), 1.2..4.0f64].boxed()
    } else {
        Just(0.0).boxed()
    };
    (0.2..3.0f64, 0.1..2.0f64, power).prop_map(|(height, scale, power)| Curve {
        height,
        scale,
        power,
    })
}

/// Two to six cells with bounds, perhaps a group and a chunk, and a total that is feasible.
fn problem(s_shaped: bool) -> impl Strategy<Value = (Curves, Problem)> {
    proptest::collection::vec(
        (
            curve(s_shaped),
            0.0..0.3f64,
            0.5..2.0f64,
            proptest::bool::weighted(0.15),
        ),
        2..=6,
    )
    .prop_flat_map(move |parts| {
        let n = parts.len();
        (
            Just(parts),
            0.05..0.95f64,
            proptest::option::of((2..=n, 0.1..0.9f64, 0.1..0.9f64)),
        )
    })
    .prop_map(move |(parts, share, group)| {
        let mut cells: Vec<Cell> = parts
            .iter()
            .enumerate()
            .map(|(i, (_, lower, upper, _))| Cell::new(format!("c{i}"), *lower, *upper))
            .collect();
        if s_shaped {
            for (cell, (_, _, upper, chunked)) in cells.iter_mut().zip(&parts) {
                if *chunked {
                    (cell.lower, cell.chunk) = (0.0, 0.4 * upper);
                }
            }
        }
        let between = |cells: &[Cell], share: f64| {
            let lower: f64 = cells.iter().map(|c| c.lower).sum();
            let upper: f64 = cells.iter().map(|c| c.upper).sum();
            lower + share * (upper - lower)
        };
        let total = between(&cells, share);
        let groups = group.map(|(size, low, high)| {
            let (low, high) = if low < high { (low, high) } else { (high, low) };
            let members = &cells[..size];
            // Wide enough for the total to stay feasible.
            let rest_upper: f64 = cells[size..].iter().map(|c| c.upper).sum();
            let rest_lower: f64 = cells[size..].iter().map(|c| c.lower).sum();
            Group {
                name: "g".to_owned(),
                members: (0..size).collect(),
                lower: between(members, low).min(total - rest_lower),
                upper: between(members, high).max(total - rest_upper),
            }
        });
        let curves = Curves(parts.into_iter().map(|(curve, ..)| curve).collect());
        let problem = Problem {
            cells,
            groups: groups.into_iter().collect(),
            total: Total::fixed(total),
        };
        (curves, problem)
    })
}

/// The best value on a grid: every cell but the last takes grid values, the last the rest.
fn grid_best(curves: &Curves, problem: &Problem, steps: usize) -> f64 {
    fn go(
        curves: &Curves,
        problem: &Problem,
        steps: usize,
        x: &mut Vec<f64>,
        value: f64,
        best: &mut f64,
    ) {
        let i = x.len();
        let cell = &problem.cells[i];
        let left = problem.total.lower - x.iter().sum::<f64>();
        let allowed = |amount: f64| {
            amount >= cell.lower - 1e-12
                && amount <= cell.upper + 1e-12
                && (!cell.is_chunked() || amount <= cell.lower || amount >= cell.chunk)
        };
        let is_last = i + 1 == problem.cells.len();
        let amounts =
            (0..=steps).map(|k| cell.lower + (cell.upper - cell.lower) * k as f64 / steps as f64);
        let amounts: Vec<f64> = if is_last {
            vec![left]
        } else {
            amounts.collect()
        };
        for amount in amounts.into_iter().filter(|amount| allowed(*amount)) {
            x.push(amount);
            let inside = problem.groups.iter().all(|group| {
                let complete = group.members.iter().all(|m| *m < x.len());
                let sum: f64 = group.members.iter().filter_map(|m| x.get(*m)).sum();
                !complete || (group.lower - 1e-12..=group.upper + 1e-12).contains(&sum)
            });
            if inside {
                let value = value + curves.0[i].at(amount).value;
                if is_last {
                    *best = best.max(value);
                } else {
                    go(curves, problem, steps, x, value, best);
                }
            }
            x.pop();
        }
    }
    let mut best = f64::NEG_INFINITY;
    go(curves, problem, steps, &mut Vec::new(), 0.0, &mut best);
    best
}

/// Grid steps per cell that keep an exhaustive search below a hundred thousand points.
fn steps(cells: usize) -> usize {
    [0, 0, 2000, 250, 45, 16, 9][cells]
}

fn check(curves: &Curves, problem: &Problem) -> Allocation {
    let start = vec![0.0; problem.cells.len()];
    let tree = Tree::new(problem).unwrap();
    let found = solve(problem, curves, &start).unwrap();
    assert!(tree.violation(&found.amounts) < 1e-9, "{found:?}");
    let value: f64 = found
        .amounts
        .iter()
        .enumerate()
        .map(|(i, x)| curves.0[i].at(*x).value)
        .sum();
    assert!((value - found.value).abs() < 1e-12 * value.abs().max(1.0));
    let grid = grid_best(curves, problem, steps(problem.cells.len()));
    assert!(
        found.value >= grid - 1e-9,
        "{} below the grid's {grid}",
        found.value
    );
    assert!(
        found.bound >= grid - 1e-9,
        "bound {} below the grid's {grid}",
        found.bound
    );
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn concave_problems_are_solved_with_a_certificate((curves, problem) in problem(false)) {
        let found = check(&curves, &problem);
        prop_assert!(found.relative_gap() <= 1e-9, "gap {}", found.relative_gap());
        prop_assert_eq!(found.method, Method::KktNewton);
    }

    #[test]
    fn s_shaped_problems_are_never_worse_than_a_grid((curves, problem) in problem(true)) {
        let feasible = grid_best(&curves, &problem, steps(problem.cells.len()));
        prop_assume!(feasible.is_finite());
        let found = check(&curves, &problem);
        prop_assert!(found.relative_gap() <= 1e-5, "gap {}", found.relative_gap());
    }

    #[test]
    fn branch_and_bound_agrees_with_newton_where_both_apply((curves, problem) in problem(false)) {
        let tree = Tree::new(&problem).unwrap();
        let start = vec![0.0; problem.cells.len()];
        let one = concave::solve(&tree, &curves, &start, concave::Settings::default());
        let two = branch::solve(&tree, &curves, &start, branch::Settings::default()).unwrap();
        prop_assert!((one.value - two.value).abs() <= 1e-7 * one.value.abs());
        prop_assert!(two.bound >= one.value - 1e-9);
    }

    #[test]
    fn greedy_is_feasible_and_not_better_than_the_bound((curves, problem) in problem(false)) {
        let tree = Tree::new(&problem).unwrap();
        let start = vec![0.0; problem.cells.len()];
        let best = concave::solve(&tree, &curves, &start, concave::Settings::default());
        let greedy = greedy::solve(&tree, &curves, &start);
        prop_assert!(tree.violation(&greedy.amounts) < 1e-8);
        prop_assert!(greedy.value <= best.bound + 1e-9);
    }

    #[test]
    fn the_nearest_point_is_feasible_and_keeps_feasible_points((_, problem) in problem(false), z in proptest::collection::vec(-1.0..3.0f64, 6)) {
        let tree = Tree::new(&problem).unwrap();
        let near = tree.nearest(&z[..problem.cells.len()]);
        prop_assert!(tree.violation(&near) < 1e-9);
        let again = tree.nearest(&near);
        for (a, b) in near.iter().zip(&again) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }
}

#[test]
fn a_flexible_total_stops_where_the_next_unit_brings_its_price() {
    let curves = Curves(vec![
        Curve {
            height: 2.0,
            scale: 1.0,
            power: 0.0,
        },
        Curve {
            height: 1.0,
            scale: 0.5,
            power: 0.0,
        },
    ]);
    let problem = Problem {
        cells: vec![Cell::new("a", 0.0, 10.0), Cell::new("b", 0.0, 10.0)],
        groups: Vec::new(),
        total: Total {
            lower: 0.0,
            upper: 20.0,
            price: 0.3,
        },
    };
    let found = solve(&problem, &curves, &[1.0, 1.0]).unwrap();
    for (i, x) in found.amounts.iter().enumerate() {
        assert!((curves.0[i].at(*x).slope - 0.3).abs() < 1e-9, "{found:?}");
    }
    assert!(found.relative_gap() < 1e-9);
}

#[test]
fn straight_responses_fill_the_steepest_first() {
    struct Lines;
    impl Objective for Lines {
        fn response(&self, cell: usize, x: f64) -> Point {
            let slope = [3.0, 2.0, 2.0][cell];
            Point {
                value: slope * x,
                slope,
                curvature: 0.0,
            }
        }
        fn concave(&self, _: usize) -> bool {
            true
        }
    }
    let cell = |name: &str| Cell::new(name, 0.0, 4.0);
    let problem = Problem {
        cells: vec![cell("a"), cell("b"), cell("c")],
        groups: Vec::new(),
        total: Total::fixed(6.0),
    };
    let found = solve(&problem, &Lines, &[2.0, 2.0, 2.0]).unwrap();
    assert!((found.amounts[0] - 4.0).abs() < 1e-9, "{found:?}");
    assert!((found.value - 16.0).abs() < 1e-9 && found.relative_gap() < 1e-12);
}

#[test]
fn contradictions_name_their_constraints() {
    let group = |name: &str, members: &[usize], lower: f64, upper: f64| Group {
        name: name.into(),
        members: members.to_vec(),
        lower,
        upper,
    };
    let of = |groups: Vec<Group>, total: f64| Problem {
        cells: vec![
            Cell::new("meta", 1.0, 2.0),
            Cell::new("google", 0.0, 3.0),
            Cell::new("tv", 2.0, 4.0),
        ],
        groups,
        total: Total::fixed(total),
    };
    let cases = [
        (
            of(vec![], 10.0),
            "the total must have at least 10, but `meta` (≤ 2), `google` (≤ 3) and `tv` (≤ 4) can take at most 9",
        ),
        (
            of(vec![], 2.0),
            "the total may have at most 2, but `meta` (≥ 1), `google` (≥ 0) and `tv` (≥ 2) need at least 3",
        ),
        (
            of(vec![group("digital", &[0, 1], 6.0, 9.0)], 8.0),
            "group `digital` must have at least 6, but `meta` (≤ 2) and `google` (≤ 3) can take at most 5",
        ),
        (
            of(
                vec![
                    group("digital", &[0, 1], 0.0, 1.5),
                    group("x", &[1, 2], 0.0, 9.0),
                ],
                4.0,
            ),
            "groups `digital` and `x` overlap: one must contain the other, or they share nothing",
        ),
        (
            of(vec![group("none", &[], 0.0, 1.0)], 4.0),
            "group `none` has no cells, or one that does not exist",
        ),
        (
            of(vec![group("digital", &[0, 1], 0.0, 1.5)], 6.0),
            "the total must have at least 6, but group `digital` (≤ 1.5) and `tv` (≤ 4) can take at most 5.5",
        ),
    ];
    for (problem, words) in cases {
        let error = Tree::new(&problem).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn a_range_that_ends_within_a_bend_is_bounded_exactly() {
    let (hill, other) = (
        Curve {
            height: 0.8796771726947231,
            scale: 0.579473416008106,
            power: 3.9454201053231635,
        },
        Curve {
            height: 1.6219363234625257,
            scale: 1.5738885910390463,
            power: 2.417494846809471,
        },
    );
    let cell = |name: &str, lower, upper| Cell {
        name: name.to_owned(),
        lower,
        upper,
        chunk: 0.0,
    };
    let (total, price) = (0.6672839129333381, 0.0);
    let problem = Problem {
        cells: vec![
            cell(
                "bends just above what the total leaves it",
                0.14913564151197087,
                0.5292204655458577,
            ),
            cell("convex all along", 0.16191327309688833, 0.9526569599078073),
        ],
        groups: Vec::new(),
        total: Total {
            lower: total,
            upper: total,
            price,
        },
    };
    let found = check(&Curves(vec![hill, other]), &problem);
    assert!(found.relative_gap() <= 1e-9, "{found:?}");
}
