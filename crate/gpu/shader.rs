//! A shader, composed: header + bindings + sizes + constants + parts, with conditions and unrolled loops resolved.
//!
//! WGSL has no conditional compilation and unrolls nothing, so parts may hold three directives, each on a line of its
//! own and each closed by `//#end`:
//! - `//#if FLAG` … `//#else` … keeps one branch;
//! - `//#for i in COUNT` repeats its lines with `$i` replaced by 0, 1, … COUNT−1, and `$(i/4)`, `$(i%4)`,
//!   `$(i*4)`, `$(i+4)` by the value of that expression. COUNT is a constant of the shader or a number.

use std::fmt::Write as _;

use crate::kernels::{Access, Binding, Element};

/// How one dispatch dimension is limited (`maxComputeWorkgroupsPerDimension`, the default of WebGPU).
const MAX_GRID: usize = 65_535;

#[derive(Clone, Debug)]
pub struct Shader {
    pub name: &'static str,
    pub bindings: Vec<Binding>,
    pub grid: [u32; 2],
    constants: Vec<(&'static str, Constant)>,
    sizes: Vec<(&'static str, u32)>,
    flags: Vec<&'static str>,
    parts: Vec<&'static str>,
    workgroup: [usize; 2],
}

#[derive(Clone, Debug)]
enum Constant {
    Count(usize),
    Number(f32),
    Numbers(Vec<f32>),
}

impl Shader {
    /// Invocations of a workgroup where nothing else is asked for.
    pub const WORKGROUP: usize = 64;

    pub fn new(name: &'static str, bindings: Vec<Binding>) -> Self {
        Self {
            name,
            bindings,
            grid: [1, 1],
            constants: vec![],
            sizes: vec![],
            flags: vec![],
            parts: vec![],
            workgroup: [Self::WORKGROUP, 1],
        }
    }

    pub fn count(mut self, name: &'static str, value: usize) -> Self {
        self.constants.push((name, Constant::Count(value)));
        self
    }

    pub fn number(mut self, name: &'static str, value: f32) -> Self {
        self.constants.push((name, Constant::Number(value)));
        self
    }

    pub fn numbers(mut self, name: &'static str, values: Vec<f32>) -> Self {
        self.constants.push((name, Constant::Numbers(values)));
        self
    }

    /// A number that is told when the shader runs, as `sizes.name`: ops that differ in sizes alone share a pipeline, and
    /// compiling one takes long where its loops are unrolled.
    pub fn size(mut self, name: &'static str, value: usize) -> Self {
        self.sizes.push((name, value as u32));
        self
    }

    /// What `var<uniform> sizes` holds, in the order of its members.
    pub fn sizes(&self) -> Vec<u32> {
        self.sizes.iter().map(|&(_, value)| value).collect()
    }

    pub fn flag(mut self, name: &'static str, set: bool) -> Self {
        if set {
            self.flags.push(name);
        }
        self
    }

    pub fn part(mut self, source: &'static str) -> Self {
        self.parts.push(source);
        self
    }

    pub fn workgroup(mut self, size: [usize; 2]) -> Self {
        self.workgroup = size;
        self
    }

    /// The number of workgroups in x and y.
    pub fn grid(mut self, grid: [usize; 2]) -> Self {
        assert!(grid.iter().all(|&side| (1..=MAX_GRID).contains(&side)), "{}: a grid of {grid:?}", self.name);
        self.grid = grid.map(|side| side as u32);
        self
    }

    /// Enough workgroups for `count` invocations that number themselves with `linear`. Some may have nothing to do.
    pub fn invocations(self, count: usize) -> Self {
        let workgroups = count.div_ceil(self.workgroup[0]);
        self.workgroups(workgroups)
    }

    /// At least `count` workgroups, folded into two dimensions where one does not hold them.
    pub fn workgroups(self, count: usize) -> Self {
        let rows = count.div_ceil(MAX_GRID);
        self.grid([count.div_ceil(rows), rows])
    }

    /// For `count` rows, each by a workgroup of `WORKGROUP`, or alone by an invocation: where a row is and how its
    /// invocations come together (`row_of`, `first_column`, `row_sum`, `row_max`, `row_barrier`).
    pub fn rows(self, count: usize, alone: bool) -> Self {
        // Few in a workgroup, so that a software adapter's processors all have some.
        let (side, groups) = if alone { (16, count.div_ceil(16)) } else { (Self::WORKGROUP, count) };
        self.flag("ALONE", alone)
            .part(include_str!("../../shaders/workgroup_sum.wgsl"))
            .part(if alone {
                include_str!("../../shaders/row_alone.wgsl")
            } else {
                include_str!("../../shaders/row_shared.wgsl")
            })
            .workgroup([side, 1])
            .workgroups(groups)
    }

    /// The whole WGSL source.
    pub fn compose(&self) -> String {
        let mut source = String::from(include_str!("../../shaders/header.wgsl"));
        source.push('\n');
        for (i, binding) in self.bindings.iter().enumerate() {
            let access = if binding.access == Access::Read { "read" } else { "read_write" };
            let element = match binding.element {
                Element::F32 => "f32",
                Element::Vec4 => "vec4f",
                Element::U32 => "u32",
            };
            let name = binding.name;
            writeln!(source, "@group(0) @binding({i}) var<storage, {access}> {name}: array<{element}>;")
                .expect("a string takes all");
        }
        let count = self.bindings.len();
        writeln!(source, "@group(0) @binding({count}) var<uniform> step: Step;").expect("a string takes all");
        if !self.sizes.is_empty() {
            let members: Vec<String> = self.sizes.iter().map(|(name, _)| format!("{name}: u32")).collect();
            writeln!(source, "struct Sizes {{ {} }}", members.join(", ")).expect("a string takes all");
            writeln!(source, "@group(0) @binding({}) var<uniform> sizes: Sizes;", count + 1)
                .expect("a string takes all");
        }
        let sides = [("WORKGROUP_X", self.workgroup[0]), ("WORKGROUP_Y", self.workgroup[1])];
        let sides = sides.map(|(name, side)| (name, Constant::Count(side)));
        for (name, constant) in sides.iter().chain(&self.constants) {
            match constant {
                Constant::Count(value) => writeln!(source, "const {name} = {value}u;"),
                // `{:?}` prints the shortest text that reads back as the same float.
                Constant::Number(value) => writeln!(source, "const {name}: f32 = {value:?};"),
                // `{:?}` of a list puts commas between them.
                Constant::Numbers(values) => {
                    let list = format!("{values:?}");
                    let list = list.trim_matches(['[', ']']);
                    writeln!(source, "const {name} = array<f32, {}>({list});", values.len())
                }
            }
            .expect("a string takes all");
        }
        for part in &self.parts {
            source.push('\n');
            let mut lines = part.lines();
            self.expand(&mut lines, true, &mut source);
        }
        source
    }

    /// Copies lines up to the `//#end` (or `//#else`) that closes this level; returns true at an `//#else`.
    fn expand<'a>(&self, lines: &mut impl Iterator<Item = &'a str>, keep: bool, out: &mut String) -> bool {
        while let Some(line) = lines.next() {
            match line.trim().strip_prefix("//#") {
                None if keep => {
                    out.push_str(line);
                    out.push('\n');
                }
                None => {}
                Some("end") => return false,
                Some("else") => return true,
                Some(directive) => match directive.split_whitespace().collect::<Vec<_>>()[..] {
                    ["if", flag] => {
                        let set = self.flags.contains(&flag);
                        if self.expand(lines, keep && set, out) {
                            self.expand(lines, keep && !set, out);
                        }
                    }
                    ["for", variable, "in", count] => {
                        let mut body = String::new();
                        self.expand(lines, keep, &mut body);
                        for i in 0..if keep { self.loop_count(count) } else { 0 } {
                            out.push_str(&substitute(&body, variable, i));
                        }
                    }
                    _ => panic!("{}: the directive `{line}` is not known", self.name),
                },
            }
        }
        false
    }

    fn loop_count(&self, text: &str) -> usize {
        let named = self.constants.iter().find_map(|(name, constant)| match constant {
            Constant::Count(value) if *name == text => Some(*value),
            _ => None,
        });
        named
            .or_else(|| text.parse().ok())
            .unwrap_or_else(|| panic!("{}: `{text}` is no constant of the shader", self.name))
    }
}

/// Replaces `$i` and `$(i∘number)` for the loop variable `i`.
fn substitute(body: &str, variable: &str, value: usize) -> String {
    let open = format!("$({variable}");
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find(&open) {
        let expression = &rest[at + open.len()..];
        let close = expression.find(')').expect("`$(` is closed by `)`");
        let (operator, operand) = expression[..close].split_at(1);
        let operand: usize = operand.parse().expect("`$(i/4)`: a number after the operator");
        let result = match operator {
            "/" => value / operand,
            "%" => value % operand,
            "*" => value * operand,
            "+" => value + operand,
            _ => panic!("`$({variable}{operator}…)`: the operator is not known"),
        };
        out.push_str(&rest[..at]);
        out.push_str(&result.to_string());
        rest = &expression[close + 1..];
    }
    out.push_str(rest);
    out.replace(&format!("${variable}"), &value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(flags: &[&'static str], part: &'static str) -> String {
        let mut shader = Shader::new("test", vec![]).count("THREE", 3);
        shader.flags = flags.to_vec();
        let mut out = String::new();
        shader.expand(&mut part.lines(), true, &mut out);
        out
    }

    #[test]
    fn conditions_keep_one_branch() {
        let part = "a\n//#if X\nb\n//#if Y\nc\n//#end\n//#else\nd\n//#end\ne";
        assert_eq!(expanded(&[], part), "a\nd\ne\n");
        assert_eq!(expanded(&["X"], part), "a\nb\ne\n");
        assert_eq!(expanded(&["X", "Y"], part), "a\nb\nc\ne\n");
        assert_eq!(expanded(&["Y"], part), "a\nd\ne\n");
    }

    #[test]
    fn loops_are_unrolled_and_nest() {
        assert_eq!(expanded(&[], "//#for i in THREE\nx_$i\n//#end"), "x_0\nx_1\nx_2\n");
        assert_eq!(
            expanded(&[], "//#for i in 2\n//#for j in 2\nx_$i_$j $ju\n//#end\n//#end"),
            "x_0_0 0u\nx_0_1 1u\nx_1_0 0u\nx_1_1 1u\n"
        );
        assert_eq!(
            expanded(&[], "//#for i in 6\n$(i/4).$(i%4) $(i*4) $(i+1)\n//#end").lines().last(),
            Some("1.1 20 6")
        );
    }

    #[test]
    fn large_grids_are_folded() {
        let shader = Shader::new("test", vec![]).invocations(64 * 70_000);
        assert_eq!(shader.grid[1], 2);
        assert!(shader.grid[0] as usize * shader.grid[1] as usize >= 70_000);
    }
}
