//! Our kernels against tract's, on graphs drawn here.

use prost::Message;
use pulp::Arch;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    type_proto::{Tensor, Value as TypeValue},
};

use super::{Network, on_tract::draw, plan::Plan};

const SIDES: [usize; 2] = [13, 18];

/// The same numbers in every run, between -1 and 1.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// A graph in the making: each node takes what its caller names and gives what it is called.
struct Drawing {
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    noise: Noise,
}

impl Drawing {
    fn new() -> Self {
        Self { nodes: Vec::new(), weights: Vec::new(), noise: Noise(1) }
    }

    fn node(mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, &[i64])]) -> Self {
        let attribute = |(name, values): &(&str, &[i64])| AttributeProto {
            name: (*name).to_owned(),
            i: values[0],
            ints: if *name == "group" { Vec::new() } else { values.to_vec() },
            r#type: if *name == "group" { AttributeType::Int } else { AttributeType::Ints } as i32,
            ..Default::default()
        };
        self.nodes.push(NodeProto {
            op_type: operator.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes.iter().map(attribute).collect(),
            ..Default::default()
        });
        self
    }

    fn weight(&mut self, name: String, shape: &[usize], scale: f32) {
        let values = self.noise.take(shape.iter().product());
        self.weights.push(TensorProto {
            name,
            dims: shape.iter().map(|side| *side as i64).collect(),
            data_type: DataType::Float as i32,
            float_data: values.iter().map(|value| value * scale).collect(),
            ..Default::default()
        });
    }

    /// `shape` is that of the weight.
    fn convolution(mut self, input: &str, output: &str, shape: [usize; 4], attributes: &[(&str, &[i64])]) -> Self {
        let fan_in: usize = shape[1..].iter().product();
        let (weight, bias) = (format!("{output}.weight"), format!("{output}.bias"));
        self.weight(weight.clone(), &shape, 2.0 / (fan_in as f32).sqrt());
        self.weight(bias.clone(), &shape[..1], 1.0);
        self.node("Conv", &[input, &weight, &bias], output, attributes)
    }

    fn constant(mut self, name: &str, value: f32) -> Self {
        self.weights.push(TensorProto {
            name: name.to_owned(),
            data_type: DataType::Float as i32,
            float_data: vec![value],
            ..Default::default()
        });
        self
    }

    fn answering(self, output: &str) -> ModelProto {
        let kind = TypeProto {
            value: Some(TypeValue::TensorType(Tensor { elem_type: DataType::Float as i32, shape: None })),
            ..Default::default()
        };
        let named =
            |name: &str| ValueInfoProto { name: name.to_owned(), r#type: Some(kind.clone()), ..Default::default() };
        let graph = GraphProto {
            name: "test".to_owned(),
            node: self.nodes,
            input: vec![named("image")],
            output: vec![named(output)],
            initializer: self.weights,
            ..Default::default()
        };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 13 }];
        ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }
    }
}

/// Every instruction set of this machine, not only the best.
fn every_arch() -> Vec<Arch> {
    let mut every = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    every.extend(pulp::x86::V3::try_new().map(Arch::V3));
    every
}

fn plan_of(model: &ModelProto, shape: [usize; 4], arch: Arch) -> Option<Plan> {
    let (drawing, last) = draw(model, shape)?;
    Plan::of(drawing, last, arch)
}

fn shape(channels: usize) -> [usize; 4] {
    [1, channels, SIDES[0], SIDES[1]]
}

#[track_caller]
fn agrees_with_tract(model: &ModelProto, shape: [usize; 4]) {
    let image = Noise(7).take(shape.iter().product());
    let expected = Network::on_tract(model, shape).unwrap().run(&image).unwrap().remove(0);
    assert!(expected.iter().any(|value| value.abs() > 0.01), "an answer of zeros shows nothing");
    for arch in every_arch() {
        let plan = plan_of(model, shape, arch).expect("this graph is one for our kernels");
        // Twice: the second run finds what the first left in its buffers.
        for run in 0..2 {
            let found = plan.run(&image);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 2e-5, "{arch:?}, run {run}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn kernels_of_any_size_stride_and_padding_agree_with_tract() {
    type Case = (usize, [usize; 2], [i64; 2], [i64; 4]);
    let cases: [Case; 6] = [
        (3, [3, 3], [2, 2], [1, 1, 1, 1]),
        (3, [3, 3], [1, 1], [0, 0, 0, 0]),
        (1, [5, 3], [1, 2], [2, 0, 1, 3]),
        (3, [7, 7], [2, 2], [3, 3, 3, 3]),
        (4, [1, 1], [1, 1], [0, 0, 0, 0]),
        (3, [2, 4], [3, 1], [0, 2, 1, 1]),
    ];
    for (channels, [rows, columns], strides, pads) in cases {
        for outputs in [1, 16, 24, 80, 112] {
            let model = Drawing::new()
                .convolution(
                    "image",
                    "first",
                    [outputs, channels, rows, columns],
                    &[("strides", &strides), ("pads", &pads)],
                )
                .convolution(
                    "first",
                    "second",
                    [33, outputs, rows, columns],
                    &[("strides", &strides), ("pads", &[2; 4])],
                )
                .node("GlobalAveragePool", &["second"], "pooled", &[])
                .node("Flatten", &["pooled"], "answer", &[])
                .answering("answer");
            agrees_with_tract(&model, shape(channels));
        }
    }
}

#[test]
fn activations_bound_what_leaves_a_layer() {
    let model = Drawing::new()
        .constant("low", -0.25)
        .constant("high", 0.5)
        .convolution("image", "first", [20, 3, 3, 3], &[("pads", &[1; 4])])
        .node("Clip", &["first", "low", "high"], "clipped", &[])
        .convolution("clipped", "second", [7, 20, 1, 1], &[])
        .node("Relu", &["second"], "bounded", &[])
        .node("ReduceMean", &["bounded"], "answer", &[("axes", &[2, 3])])
        .answering("answer");
    agrees_with_tract(&model, shape(3));
}

#[test]
fn a_depthwise_convolution_keeps_channels_apart() {
    for strides in [[1, 1], [2, 2]] {
        let model = Drawing::new()
            .convolution("image", "first", [40, 3, 3, 3], &[("pads", &[1; 4])])
            .convolution("first", "own", [40, 1, 3, 3], &[("pads", &[1; 4]), ("strides", &strides), ("group", &[40])])
            .node("Relu", &["own"], "bounded", &[])
            .node("GlobalAveragePool", &["bounded"], "answer", &[])
            .answering("answer");
        agrees_with_tract(&model, shape(3));
    }
}

#[test]
fn shortcuts_are_added_before_the_activation() {
    let padded: &[(&str, &[i64])] = &[("pads", &[1; 4])];
    let model = Drawing::new()
        .convolution("image", "stem", [32, 3, 3, 3], padded)
        .node("Relu", &["stem"], "a", &[])
        // Round a layer, with and without a layer of its own on the shorter way.
        .convolution("a", "b", [32, 32, 3, 3], padded)
        .node("Add", &["b", "a"], "sum", &[])
        .node("Relu", &["sum"], "c", &[])
        .convolution("c", "d", [48, 32, 3, 3], padded)
        .convolution("c", "e", [48, 32, 1, 1], &[])
        .node("Add", &["d", "e"], "f", &[])
        .convolution("f", "g", [48, 48, 1, 1], &[])
        .node("Add", &["f", "g"], "h", &[])
        .node("GlobalAveragePool", &["h"], "answer", &[])
        .answering("answer");
    agrees_with_tract(&model, shape(3));
}

#[test]
fn three_by_three_in_tiles_agrees_with_tract() {
    for (pads, channels, outputs) in [(1, 16, 16), (0, 32, 24), (2, 80, 130), (1, 40, 5)] {
        let around: &[(&str, &[i64])] = &[("pads", &[pads; 4])];
        let model = Drawing::new()
            .convolution("image", "stem", [channels, 3, 3, 3], &[("pads", &[1; 4])])
            .node("Relu", &["stem"], "a", &[])
            .convolution("a", "b", [outputs, channels, 3, 3], around)
            .node("Relu", &["b"], "c", &[])
            // With a shortcut of its own.
            .convolution("c", "d", [outputs, outputs, 3, 3], &[("pads", &[1; 4])])
            .node("Add", &["d", "c"], "sum", &[])
            .node("Relu", &["sum"], "e", &[])
            .node("GlobalAveragePool", &["e"], "answer", &[])
            .answering("answer");
        agrees_with_tract(&model, [1, 3, 12, 18]);
    }
}

#[test]
fn the_default_model_runs_on_our_kernels_and_answers_as_on_tract() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/food64/backbone.onnx");
    let model = ModelProto::decode(std::fs::read(path).unwrap().as_slice()).unwrap();
    agrees_with_tract(&model, [1, 3, 64, 64]);
}

#[test]
fn a_map_that_is_read_twice_is_not_changed_for_one_reader() {
    let padded: &[(&str, &[i64])] = &[("pads", &[1; 4])];
    // The activation must not become part of a layer whose bare output is added later.
    let model = Drawing::new()
        .convolution("image", "a", [16, 3, 3, 3], padded)
        .node("Relu", &["a"], "b", &[])
        .convolution("b", "c", [16, 16, 3, 3], padded)
        .node("Add", &["a", "c"], "d", &[])
        .node("GlobalAveragePool", &["d"], "answer", &[])
        .answering("answer");
    assert!(plan_of(&model, shape(3), Arch::new()).is_none());
    let network = Network::from_proto(&model, shape(3)).unwrap();
    assert!(format!("{network:?}").contains("tract"));
}

#[test]
fn what_our_kernels_do_not_know_is_left_to_tract() {
    let first = || Drawing::new().convolution("image", "a", [16, 3, 3, 3], &[]);
    let pooled =
        |drawing: Drawing, map: &str| drawing.node("GlobalAveragePool", &[map], "answer", &[]).answering("answer");
    let graphs = [
        pooled(first().convolution("a", "b", [16, 16, 3, 3], &[("dilations", &[2, 2])]), "b"),
        pooled(first().convolution("a", "b", [16, 4, 3, 3], &[("group", &[4])]), "b"),
        pooled(first().node("Sigmoid", &["a"], "b", &[]), "b"),
        pooled(first().node("Add", &["a", "a"], "b", &[]), "b"),
        first().answering("a"),
    ];
    for graph in &graphs {
        assert!(plan_of(graph, shape(3), Arch::new()).is_none());
        assert!(Network::from_proto(graph, shape(3)).is_ok(), "tract runs it");
    }
}

#[test]
fn a_forged_graph_cannot_make_us_allocate_what_it_likes() {
    let wide = Drawing::new()
        .convolution("image", "a", [16, 3, 1, 1], &[("pads", &[16_000; 4])])
        .node("GlobalAveragePool", &["a"], "answer", &[])
        .answering("answer");
    assert!(plan_of(&wide, shape(3), Arch::new()).is_none());
    let missing = Drawing::new().node("Conv", &["image", "nothing"], "answer", &[]).answering("answer");
    assert!(plan_of(&missing, shape(3), Arch::new()).is_none());
}
