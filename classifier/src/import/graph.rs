//! Surgery on an ONNX graph: finding the image input and the last linear layer, and cutting there.

use std::collections::{BTreeSet, HashSet};

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::{DataLocation, DataType},
    tensor_shape_proto::dimension::Value as Dimension,
    type_proto::Value as TypeValue,
};

use super::ImportError;
use crate::{Layout, network::onnx};

pub(super) struct Graph {
    model: ModelProto,
}

/// The one graph input that no weight fills.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ImageInput {
    pub(super) name: String,
    pub(super) layout: Layout,
    /// Width and height in pixels, where the graph fixes both.
    pub(super) size: Option<(u32, u32)>,
}

/// `output = weight · input + bias`, with `weight` row-major `[classes, embedding]`.
#[derive(Debug, PartialEq)]
pub(super) struct LinearLayer {
    /// Name of the tensor that goes in.
    pub(super) input: String,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) embedding: usize,
}

/// A weight: its shape and row-major values.
struct Weight {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Graph {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        let model = ModelProto::decode(bytes).map_err(|error| ImportError::NotOnnx(error.to_string()))?;
        let Some(graph) = model.graph.as_ref().filter(|graph| !graph.node.is_empty()) else {
            return Err(ImportError::NotOnnx("it has no graph".to_owned()));
        };
        let is_external = |tensor: &&TensorProto| tensor.data_location == Some(DataLocation::External as i32);
        if let Some(tensor) = graph.initializer.iter().find(is_external) {
            return Err(ImportError::ExternalData(tensor.name.clone()));
        }
        Ok(Self { model })
    }

    pub(super) fn model(&self) -> &ModelProto {
        &self.model
    }

    fn graph(&self) -> &GraphProto {
        // `read` refuses a model without one.
        static EMPTY: std::sync::LazyLock<GraphProto> = std::sync::LazyLock::new(GraphProto::default);
        self.model.graph.as_ref().unwrap_or(&EMPTY)
    }

    pub(super) fn image_input(&self) -> Result<ImageInput, ImportError> {
        let graph = self.graph();
        let weights: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|input| !weights.contains(input.name.as_str())).collect();
        let [input] = inputs[..] else {
            let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
            return Err(ImportError::NoImageInput(format!("{} inputs: {names:?}", names.len())));
        };
        let refuse = |what: String| Err(ImportError::NoImageInput(format!("`{}` is {what}", input.name)));
        let Some(TypeValue::TensorType(tensor)) = input.r#type.as_ref().and_then(|kind| kind.value.as_ref()) else {
            return refuse("no tensor".to_owned());
        };
        if tensor.elem_type != DataType::Float as i32 {
            let kind = DataType::try_from(tensor.elem_type).map_or("unknown", |kind| kind.as_str_name());
            return refuse(format!("of type {kind}"));
        }
        let shape: Vec<Option<u32>> = tensor.shape.iter().flat_map(|shape| &shape.dim).map(fixed_side).collect();
        let (layout, width, height) = match shape[..] {
            [_, Some(3), height, width] => (Layout::Nchw, width, height),
            [_, height, width, Some(3)] => (Layout::Nhwc, width, height),
            _ => return refuse(format!("of shape {}", written(&shape))),
        };
        Ok(ImageInput { name: input.name.clone(), layout, size: width.zip(height) })
    }

    /// Makes `name` the first graph input; old files list weights among the inputs.
    pub(super) fn put_first(&mut self, name: &str) {
        if let Some(graph) = &mut self.model.graph {
            graph.input.sort_by_key(|input| input.name != name);
        }
    }

    pub(super) fn outputs(&self) -> Vec<String> {
        self.graph().output.iter().map(|output| output.name.clone()).collect()
    }

    /// Which of `operators` the graph uses.
    pub(super) fn operators_among<'a>(&self, operators: &[&'a str]) -> Vec<&'a str> {
        let used: BTreeSet<&str> = self.graph().node.iter().map(|node| node.op_type.as_str()).collect();
        operators.iter().copied().filter(|operator| used.contains(operator)).collect()
    }

    /// What goes into a softmax at the end, and whether there was one.
    pub(super) fn without_softmax(&self, output: &str) -> (String, bool) {
        let mut tensor = self.through_identities(output);
        let mut removed = false;
        while let Some(node) = self.producer(tensor)
            && node.op_type == "Softmax"
            && let Some(input) = node.input.first()
        {
            removed = true;
            tensor = self.through_identities(input);
        }
        (tensor.to_owned(), removed)
    }

    /// The linear layer that gives `logits`, if one does: `Gemm`, `MatMul`, or `MatMul` and `Add`, with constant
    /// float32 weights.
    pub(super) fn linear_layer(&self, logits: &str, classes: usize) -> Option<LinearLayer> {
        let node = self.producer(logits)?;
        let layer = match (node.op_type.as_str(), &node.input[..]) {
            ("Gemm", [input, weight, bias @ ..]) => self.gemm(node, input, weight, bias.first(), classes),
            ("MatMul", [input, weight]) => self.matmul(input, weight, vec![0.0; classes]),
            ("Add", [left, right]) => {
                let (product, bias) =
                    self.weight(right).map(|bias| (left, bias)).or_else(|| Some((right, self.weight(left)?)))?;
                let node = self.producer(self.through_identities(product))?;
                let ("MatMul", [input, weight]) = (node.op_type.as_str(), &node.input[..]) else { return None };
                self.matmul(input, weight, spread(&bias, classes)?)
            }
            _ => None,
        }?;
        let input = self.through_identities(&layer.input).to_owned();
        let is_image = self.graph().input.iter().any(|graph_input| graph_input.name == input);
        let fits = layer.embedding > 0 && layer.weight.len() == layer.embedding * classes;
        (fits && !is_image).then_some(LinearLayer { input, ..layer })
    }

    /// `alpha · A · B + beta · C`
    fn gemm(
        &self,
        node: &NodeProto,
        input: &str,
        weight: &str,
        bias: Option<&String>,
        classes: usize,
    ) -> Option<LinearLayer> {
        if onnx::integer(node, "transA", 0) != 0 {
            return None;
        }
        let weight = self.weight(weight)?;
        let [rows, columns] = weight.shape[..] else { return None };
        let is_transposed = onnx::integer(node, "transB", 0) != 0;
        let (embedding, outputs) = if is_transposed { (columns, rows) } else { (rows, columns) };
        let mut values = if is_transposed { weight.values } else { transposed(&weight.values, columns) };
        let (alpha, beta) = (onnx::float(node, "alpha", 1.0), onnx::float(node, "beta", 1.0));
        values.iter_mut().for_each(|value| *value *= alpha);
        let mut bias = match bias.filter(|name| !name.is_empty()) {
            Some(name) => spread(&self.weight(name)?, classes)?,
            None => vec![0.0; classes],
        };
        bias.iter_mut().for_each(|value| *value *= beta);
        (outputs == classes).then(|| LinearLayer { input: input.to_owned(), weight: values, bias, embedding })
    }

    /// `A · B`, with `B` `[embedding, classes]`.
    fn matmul(&self, input: &str, weight: &str, bias: Vec<f32>) -> Option<LinearLayer> {
        let weight = self.weight(weight)?;
        let [embedding, columns] = weight.shape[..] else { return None };
        let is_whole = columns == bias.len();
        let weight = transposed(&weight.values, columns);
        is_whole.then(|| LinearLayer { input: input.to_owned(), weight, bias, embedding })
    }

    /// The graph that ends at `tensor`: only what leads there is kept.
    pub(super) fn ending_at(&self, tensor: &str) -> ModelProto {
        let graph = self.graph();
        // Subgraphs (of If, Loop) may use any tensor by name without listing it: then every node stays.
        let has_subgraphs =
            graph.node.iter().any(|node| node.attribute.iter().any(|a| a.g.is_some() || !a.graphs.is_empty()));
        let mut needed: HashSet<&str> = HashSet::from([tensor]);
        let mut kept = Vec::new();
        // Nodes are sorted: whoever gives a tensor comes before those who take it.
        for node in graph.node.iter().rev() {
            if has_subgraphs || node.output.iter().any(|output| needed.contains(output.as_str())) {
                needed.extend(node.input.iter().map(String::as_str));
                kept.push(node.clone());
            }
        }
        kept.reverse();
        let is_needed = |name: &str| has_subgraphs || needed.contains(name);
        let is_weight = |name: &str| graph.initializer.iter().any(|weight| weight.name == name);

        let cut = GraphProto {
            name: graph.name.clone(),
            node: kept,
            input: graph
                .input
                .iter()
                .filter(|input| is_needed(&input.name) || !is_weight(&input.name))
                .cloned()
                .collect(),
            initializer: graph.initializer.iter().filter(|weight| is_needed(&weight.name)).cloned().collect(),
            sparse_initializer: graph.sparse_initializer.clone(),
            output: vec![float_output(tensor)],
            ..Default::default()
        };
        ModelProto {
            ir_version: self.model.ir_version,
            opset_import: self.model.opset_import.clone(),
            functions: self.model.functions.clone(),
            producer_name: "gourmetgram model import".to_owned(),
            graph: Some(cut),
            ..Default::default()
        }
    }

    /// Follows `Identity` and inference-time `Dropout` back to what they pass on.
    fn through_identities<'a>(&'a self, tensor: &'a str) -> &'a str {
        let mut tensor = tensor;
        // A forged graph may go in circles; a real one is no longer than its nodes.
        for _ in 0..self.graph().node.len() {
            match self.producer(tensor) {
                Some(node) if matches!(node.op_type.as_str(), "Identity" | "Dropout") => match node.input.first() {
                    Some(input) => tensor = input,
                    None => break,
                },
                _ => break,
            }
        }
        tensor
    }

    fn producer(&self, tensor: &str) -> Option<&NodeProto> {
        self.graph().node.iter().find(|node| node.output.iter().any(|output| output == tensor))
    }

    /// A constant float32 tensor: an initializer, or the output of a `Constant`.
    fn weight(&self, name: &str) -> Option<Weight> {
        let name = self.through_identities(name);
        let initializer = self.graph().initializer.iter().find(|tensor| tensor.name == name);
        let tensor = initializer.or_else(|| {
            let node = self.producer(name).filter(|node| node.op_type == "Constant")?;
            node.attribute.iter().find(|attribute| attribute.name == "value")?.t.as_ref()
        })?;
        let (shape, values) = onnx::floats(tensor)?;
        Some(Weight { shape, values })
    }
}

/// `rows x columns` to `columns x rows`.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns).copied()).collect()
}

/// A bias of one value a class, or one for all.
fn spread(bias: &Weight, classes: usize) -> Option<Vec<f32>> {
    match bias.values[..] {
        [value] => Some(vec![value; classes]),
        _ if bias.values.len() == classes && bias.shape.last() == Some(&classes) => Some(bias.values.clone()),
        _ => None,
    }
}

/// A side that is a number, and not left open.
fn fixed_side(dimension: &tract_onnx::pb::tensor_shape_proto::Dimension) -> Option<u32> {
    match dimension.value {
        Some(Dimension::DimValue(side)) => u32::try_from(side).ok().filter(|side| *side > 0),
        _ => None,
    }
}

fn written(shape: &[Option<u32>]) -> String {
    let sides: Vec<String> = shape.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string())).collect();
    format!("[{}]", sides.join(", "))
}

fn float_output(name: &str) -> ValueInfoProto {
    let tensor =
        tract_onnx::pb::type_proto::Tensor { elem_type: DataType::Float as i32, shape: None::<TensorShapeProto> };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(TypeValue::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}
