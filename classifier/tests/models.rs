//! Models answer as they should: the default one, and what the import makes of others.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use gourmetgram_api::Classes;
use gourmetgram_classifier::{
    Answer, Licence, Model, ModelError, PackedModel, ResizeRule, Version, decode,
    import::{ImportError, ImportOptions, Imported, classes_from_text, import, import_file},
    probe,
};

const FOOD_11: &str = "Bread,Dairy product,Dessert,Egg,Fried food,Meat,Noodles/Pasta,Rice,Seafood,Soup,Vegetable/Fruit";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of real photos and models that is not part of the repository; says so where it is absent.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("GOURMETGRAM_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return None;
    }
    Some(folder)
}

fn food64() -> Model {
    Model::load(&repository().join("models/food64")).unwrap()
}

fn classify(model: &Model, path: &Path) -> Answer {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let info = probe(&bytes, &Default::default()).unwrap();
    model.classify(&decode(&bytes, &info, model.input_side()).unwrap()).unwrap()
}

fn largest_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max)
}

fn food_11_options(version: &str, mean: [f32; 3], std: [f32; 3], resize: ResizeRule) -> ImportOptions {
    ImportOptions {
        version: Version::new(version).unwrap(),
        classes: classes_from_text(FOOD_11).unwrap(),
        licence: Licence("for tests".to_owned()),
        mean,
        std,
        resize,
        size: None,
        output: None,
    }
}

fn mobilenet_options() -> ImportOptions {
    food_11_options("mobilenetv2", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], ResizeRule::Stretch)
}

#[test]
fn the_default_model_answers_as_pillow_and_onnxruntime_do() {
    let model = food64();
    let golden = fs::read_to_string(repository().join("classifier/tests/food64-golden.json")).unwrap();
    let golden: BTreeMap<String, Vec<f32>> = serde_json::from_str(&golden).unwrap();
    for (name, expected) in golden {
        let answer = classify(&model, &repository().join("classifier/tests/pictures").join(&name));
        let difference = largest_difference(&answer.probabilities, &expected);
        assert!(difference < 0.03, "{name}: differs by {difference}");
    }
}

#[test]
fn an_answer_is_whole() {
    let answer = classify(&food64(), &repository().join("classifier/tests/pictures/plate.jpg"));
    let sum: f32 = answer.probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-5);
    assert_eq!(answer.embedding.as_ref().map(Vec::len), Some(256));
    let largest = answer.probabilities.iter().copied().fold(0.0, f32::max);
    assert_eq!(answer.confidence(), largest);
}

#[test]
#[cfg(feature = "default-model")]
fn the_model_in_the_binary_is_the_one_in_the_repository() {
    let inside = gourmetgram_classifier::default_model().unwrap();
    assert_eq!(inside.manifest(), food64().manifest());
    assert_eq!(inside.version().as_str(), "food64-1");
}

#[test]
fn the_default_model_is_what_the_import_makes_of_the_trained_file() {
    let Some(shared) = shared() else { return };
    let mut options =
        food_11_options("food64-1", [0.545, 0.444, 0.344], [0.272, 0.276, 0.281], ResizeRule::CenterSquare);
    options.licence = food64().manifest().licence.clone();
    let imported = import_file(&shared.join("models/food64/food64.onnx"), &options).unwrap();
    // How accurate it was when it was trained is not in the file; whoever trains it writes that down.
    let mut told = food64().manifest().clone();
    assert!(told.accuracy.take().is_some());
    assert_eq!(imported.manifest, told);
    assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
    assert!(imported.largest_difference < 1e-5);
}

#[test]
#[expect(clippy::print_stderr, reason = "what was measured")]
fn an_imported_mobilenet_answers_as_onnxruntime_does_and_a_device_as_the_server() {
    #[derive(serde::Deserialize)]
    struct Expected {
        path: String,
        top1: String,
        probabilities: Vec<f32>,
    }
    let Some(shared) = shared() else { return };
    let imported = import_file(&shared.join("models/gourmetgram-mobilenetv2.onnx"), &mobilenet_options()).unwrap();
    assert_eq!(imported.manifest.output.embedding, Some(1280));
    let directory = tempfile::tempdir().unwrap().keep().join("mobilenetv2");
    imported.write(&directory).unwrap();
    let model = Model::load(&directory).unwrap();

    let expected = fs::read_to_string(shared.join("images/expected-mobilenetv2.json")).unwrap();
    let expected: Vec<Expected> = serde_json::from_str(&expected).unwrap();
    assert_eq!(expected.len(), 26);
    let PackedModel { manifest, backbone, head } = model.packed().unwrap();
    let device = Model::from_packed(manifest, backbone, head.as_deref()).unwrap();
    let mut of_a_device = 0.0_f32;
    for Expected { path, top1, probabilities } in expected {
        let answer = classify(&model, &shared.join("images").join(&path));
        assert_eq!(model.classes().label(answer.top), Some(top1.as_str()), "{path}");
        let difference = largest_difference(&answer.probabilities, &probabilities);
        assert!(difference <= 0.05, "{path}: differs by {difference}");
        let there = classify(&device, &shared.join("images").join(&path));
        of_a_device = of_a_device.max(largest_difference(&there.probabilities, &answer.probabilities));
    }
    eprintln!("MobileNetV2: a device's probabilities differ by up to {of_a_device:.1e}");
    assert!(of_a_device <= 1e-3, "a device's probabilities differ by {of_a_device}");
    fs::remove_dir_all(directory.parent().unwrap()).unwrap();
}

#[test]
fn a_quantised_model_is_imported_with_a_warning() {
    let Some(shared) = shared() else { return };
    let imported = import_file(&shared.join("models/gourmetgram-mobilenetv2-int8.onnx"), &mobilenet_options()).unwrap();
    assert_eq!(imported.manifest.output.embedding, None, "its last layer is no float32 layer");
    assert!(imported.warnings[0].contains("a hundred times slower"), "{:?}", imported.warnings);
}

mod parts {
    //! What is wrong with a model directory is said by name.

    use super::*;

    struct Parts {
        manifest: String,
        backbone: Vec<u8>,
        head: Option<Vec<u8>>,
    }

    fn parts() -> Parts {
        let folder = repository().join("models/food64");
        Parts {
            manifest: fs::read_to_string(folder.join("manifest.toml")).unwrap(),
            backbone: fs::read(folder.join("backbone.onnx")).unwrap(),
            head: Some(fs::read(folder.join("head.safetensors")).unwrap()),
        }
    }

    fn error(parts: Parts) -> ModelError {
        Model::from_parts(&parts.manifest, &parts.backbone, parts.head.as_deref()).unwrap_err()
    }

    #[test]
    fn a_changed_file_is_noticed() {
        let mut changed = parts();
        changed.backbone[1000] ^= 1;
        assert!(matches!(error(changed), ModelError::Hash { file: "backbone.onnx", .. }));
        let mut changed = parts();
        *changed.head.as_mut().unwrap().last_mut().unwrap() ^= 1;
        assert!(matches!(error(changed), ModelError::Hash { file: "head.safetensors", .. }));
    }

    #[test]
    fn a_missing_head_is_noticed() {
        assert!(matches!(error(Parts { head: None, ..parts() }), ModelError::HeadPresence(_)));
    }

    #[test]
    fn a_manifest_that_does_not_fit_the_weights_is_noticed() {
        let parts = || {
            let mut parts = parts();
            parts.manifest = parts.manifest.replace("embedding = 256", "embedding = 255");
            parts
        };
        assert!(matches!(error(parts()), ModelError::Head(_)));
    }

    #[test]
    fn a_backbone_that_is_no_graph_is_an_error() {
        let mut broken = parts();
        let digest = |bytes: &[u8]| gourmetgram_classifier::Sha256Hex::of(bytes).to_string();
        let garbage = b"no graph at all".to_vec();
        broken.manifest = broken.manifest.replace(&digest(&broken.backbone), &digest(&garbage));
        broken.backbone = garbage;
        assert!(matches!(error(broken), ModelError::Backbone(_)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Model::load(Path::new("/nonexistent/model")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/model/manifest.toml"), "{error}");
    }
}

mod imports {
    //! Small graphs, drawn here: two classes, an image of 2 x 2 pixels.

    use prost::Message;
    use tract_onnx::pb::{
        AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
        TypeProto, ValueInfoProto,
        attribute_proto::AttributeType,
        tensor_proto::DataType,
        tensor_shape_proto::{Dimension, dimension::Value as DimensionValue},
        type_proto::{Tensor, Value as TypeValue},
    };

    use super::*;

    fn value(name: &str, shape: &[i64]) -> ValueInfoProto {
        let dim = shape
            .iter()
            .map(|side| Dimension {
                value: Some(match side {
                    0 => DimensionValue::DimParam("open".to_owned()),
                    side => DimensionValue::DimValue(*side),
                }),
                ..Default::default()
            })
            .collect();
        let tensor = Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
        ValueInfoProto {
            name: name.to_owned(),
            r#type: Some(TypeProto { value: Some(TypeValue::TensorType(tensor)), ..Default::default() }),
            ..Default::default()
        }
    }

    fn weight(name: &str, shape: &[i64]) -> TensorProto {
        let length = shape.iter().product::<i64>();
        TensorProto {
            name: name.to_owned(),
            dims: shape.to_vec(),
            data_type: DataType::Float as i32,
            // No two the same, so that a transposed weight shows.
            float_data: (0..length).map(|index| (index * index % 17) as f32 / 8.0 - 1.0).collect(),
            ..Default::default()
        }
    }

    fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, i64)]) -> NodeProto {
        NodeProto {
            op_type: operator.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes
                .iter()
                .map(|(name, i)| AttributeProto {
                    name: (*name).to_owned(),
                    i: *i,
                    r#type: AttributeType::Int as i32,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }
    }

    fn onnx(input: &[i64], nodes: Vec<NodeProto>, weights: Vec<TensorProto>, outputs: &[&str]) -> Vec<u8> {
        let graph = GraphProto {
            name: "test".to_owned(),
            node: nodes,
            input: vec![value("image", input)],
            output: outputs.iter().map(|name| value(name, &[])).collect(),
            initializer: weights,
            ..Default::default()
        };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 13 }];
        ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }.encode_to_vec()
    }

    fn options() -> ImportOptions {
        ImportOptions {
            classes: Classes::new(vec!["Bread".to_owned(), "Soup".to_owned()]).unwrap(),
            ..food_11_options("test-1", [0.5; 3], [0.25; 3], ResizeRule::Stretch)
        }
    }

    const NCHW: [i64; 4] = [0, 3, 2, 2];

    fn flatten() -> NodeProto {
        node("Flatten", &["image"], "features", &[("axis", 1)])
    }

    /// That the parts answer as the whole did is checked by the import itself.
    #[track_caller]
    fn imported(model: &[u8]) -> Imported {
        let imported = import(model, &options()).unwrap();
        let manifest = imported.manifest.to_toml().unwrap();
        Model::from_parts(&manifest, &imported.backbone, imported.head.as_deref()).unwrap();
        imported
    }

    #[test]
    fn a_gemm_at_the_end_becomes_the_head() {
        for (transposed, shape) in [(0, [12, 2]), (1, [2, 12])] {
            let gemm = node("Gemm", &["features", "w", "b"], "logits", &[("transB", transposed)]);
            let model = onnx(&NCHW, vec![flatten(), gemm], vec![weight("w", &shape), weight("b", &[2])], &["logits"]);
            assert_eq!(imported(&model).manifest.output.embedding, Some(12));
        }
    }

    #[test]
    fn a_product_and_a_sum_at_the_end_become_the_head() {
        for sum in [["product", "b"], ["b", "product"]] {
            let nodes = vec![
                flatten(),
                node("MatMul", &["features", "w"], "product", &[]),
                node("Add", &sum, "sum", &[]),
                node("Identity", &["sum"], "logits", &[]),
            ];
            let model = onnx(&NCHW, nodes, vec![weight("w", &[12, 2]), weight("b", &[2])], &["logits"]);
            assert_eq!(imported(&model).manifest.output.embedding, Some(12));
        }
    }

    #[test]
    fn a_softmax_at_the_end_is_taken_off() {
        let nodes = vec![
            flatten(),
            node("MatMul", &["features", "w"], "logits", &[]),
            node("Softmax", &["logits"], "probabilities", &[("axis", -1)]),
        ];
        let found = imported(&onnx(&NCHW, nodes, vec![weight("w", &[12, 2])], &["probabilities"]));
        assert!(found.softmax_removed);
        assert_eq!(found.manifest.output.embedding, Some(12));
    }

    #[test]
    fn a_graph_without_a_linear_layer_is_serve_only() {
        let nodes = vec![
            node("Conv", &["image", "w"], "map", &[]),
            node("GlobalAveragePool", &["map"], "pooled", &[]),
            node("Flatten", &["pooled"], "logits", &[("axis", 1)]),
        ];
        let found = imported(&onnx(&NCHW, nodes, vec![weight("w", &[2, 3, 1, 1])], &["logits"]));
        assert_eq!((found.manifest.output.embedding, found.head), (None, None));
        assert!(found.warnings[0].contains("not retrained"), "{:?}", found.warnings);
    }

    #[test]
    fn channels_may_come_last() {
        let gemm = node("Gemm", &["features", "w"], "logits", &[]);
        let model = onnx(&[0, 2, 2, 3], vec![flatten(), gemm], vec![weight("w", &[12, 2])], &["logits"]);
        assert_eq!(imported(&model).manifest.input.layout, gourmetgram_classifier::Layout::Nhwc);
    }

    #[test]
    fn an_open_size_is_asked_for() {
        let nodes = || {
            vec![
                node("GlobalAveragePool", &["image"], "pooled", &[]),
                node("Flatten", &["pooled"], "features", &[("axis", 1)]),
                node("Gemm", &["features", "w"], "logits", &[]),
            ]
        };
        let model = onnx(&[0, 3, 0, 0], nodes(), vec![weight("w", &[3, 2])], &["logits"]);
        assert!(matches!(import(&model, &options()), Err(ImportError::SizeUnknown)));
        let sized = ImportOptions { size: Some((6, 4)), ..options() };
        let found = import(&model, &sized).unwrap().manifest;
        assert_eq!((found.input.width, found.input.height, found.output.embedding), (6, 4, Some(3)));
        let fixed = onnx(&NCHW, nodes(), vec![weight("w", &[3, 2])], &["logits"]);
        assert!(matches!(import(&fixed, &sized), Err(ImportError::OtherSize { .. })));
    }

    #[test]
    fn another_number_of_classes_is_said_with_what_there_is() {
        let gemm = node("Gemm", &["features", "w"], "logits", &[]);
        let model = onnx(&NCHW, vec![flatten(), gemm], vec![weight("w", &[12, 5])], &["logits"]);
        let error = import(&model, &options()).unwrap_err().to_string();
        assert!(error.contains("`logits`: 5") && error.contains("have 2 values"), "{error}");
    }

    #[test]
    fn of_several_outputs_that_fit_one_must_be_named() {
        let nodes = vec![
            flatten(),
            node("Gemm", &["features", "w"], "first", &[]),
            node("Gemm", &["features", "v"], "second", &[]),
        ];
        let model = onnx(&NCHW, nodes, vec![weight("w", &[12, 2]), weight("v", &[12, 2])], &["first", "second"]);
        assert!(matches!(import(&model, &options()), Err(ImportError::Outputs { found: 2, .. })));
        let named = ImportOptions { output: Some("second".to_owned()), ..options() };
        assert!(import(&model, &named).is_ok());
    }

    #[test]
    fn probabilities_that_no_softmax_made_are_refused() {
        // 1 - sigmoid(x) and sigmoid(x): they sum to 1, and no logits can be had from the graph.
        let one = TensorProto { dims: vec![1], float_data: vec![1.0], ..weight("one", &[1]) };
        let nodes = vec![
            flatten(),
            node("Gemm", &["features", "w"], "logit", &[]),
            node("Sigmoid", &["logit"], "soup", &[]),
            node("Sub", &["one", "soup"], "bread", &[]),
            node("Concat", &["bread", "soup"], "both", &[("axis", 1)]),
        ];
        let model = onnx(&NCHW, nodes, vec![weight("w", &[12, 1]), one], &["both"]);
        assert!(matches!(import(&model, &options()), Err(ImportError::Probabilities(_))));
    }

    #[test]
    fn what_is_no_model_is_an_error() {
        for bytes in [&b""[..], b"not a model", &[0xFF; 100]] {
            assert!(matches!(import(bytes, &options()), Err(ImportError::NotOnnx(_))));
        }
        let two = onnx(&[0, 7], vec![flatten()], vec![], &["features"]);
        assert!(matches!(import(&two, &options()), Err(ImportError::NoImageInput(_))));
        let unknown = onnx(&NCHW, vec![node("Teleport", &["image"], "logits", &[])], vec![], &["logits"]);
        assert!(matches!(import(&unknown, &options()), Err(ImportError::Engine(_))));
    }

    #[test]
    fn a_model_directory_is_never_overwritten() {
        let gemm = node("Gemm", &["features", "w"], "logits", &[]);
        let model = imported(&onnx(&NCHW, vec![flatten(), gemm], vec![weight("w", &[12, 2])], &["logits"]));
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("test-1");
        model.write(&directory).unwrap();
        assert!(Model::load(&directory).is_ok());
        assert!(matches!(model.write(&directory), Err(ImportError::Exists(_))));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing unfinished is left");
    }
}
