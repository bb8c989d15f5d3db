//! What annotators see of a task: Label Studio's label configuration, made from a model's classes.

use std::fmt::Write;

use gourmetgram_api::Classes;
use quick_xml::escape::escape;

/// The answer for photos of nothing the model knows. Like the next one it has characters that no class's label may have.
pub(crate) const NOT_FOOD: &str = "Not food (or none of these)";
/// The answer for photos nobody can judge.
pub(crate) const UNREADABLE: &str = "Unreadable (too dark, blurred, broken)";
/// The name of the photo in the configuration and in a task's data: the tutorial's, so that its scripts find it.
pub(crate) const PHOTO: &str = "image";
/// The name of the question in the configuration: the tutorial's.
pub(crate) const QUESTION: &str = "label";

/// Whether annotators learn what the model answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Showing {
    /// They see the photo and nothing else: their labels can say how accurate the model is.
    Blind,
    /// They see the model's answer, its confidence, and what the visitor said; the answer is filled in already.
    Shown,
}

/// A label configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabellingInterface(String);

impl LabellingInterface {
    /// One choice for each class, in the model's order, and one each for "not food" and "unreadable".
    pub fn new(classes: &Classes, showing: Showing) -> Self {
        let mut xml = format!("<View>\n  <Image name=\"{PHOTO}\" value=\"${PHOTO}\" maxWidth=\"500px\"/>\n");
        if showing == Showing::Shown {
            xml.push_str(
                "  <Header value=\"The model: $predicted_class, confidence $confidence\" size=\"5\"/>\n  \
                 <Header value=\"The visitor's correction: $corrected_class\" size=\"5\"/>\n",
            );
        }
        let _ = writeln!(
            xml,
            "  <Choices name=\"{QUESTION}\" toName=\"{PHOTO}\" choice=\"single\" showInLine=\"true\" required=\"true\">"
        );
        let labels = classes.iter().map(|(_, label)| label);
        for label in labels.chain([NOT_FOOD, UNREADABLE]) {
            let _ = writeln!(xml, "    <Choice value=\"{}\"/>", escape(label));
        }
        xml.push_str("  </Choices>\n</View>\n");
        Self(xml)
    }

    /// As Label Studio takes it.
    pub fn xml(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(labels: &[&str]) -> Classes {
        Classes::new(labels.iter().map(|&label| label.to_owned()).collect()).unwrap()
    }

    #[test]
    fn every_class_and_the_two_other_answers_can_be_chosen_in_order() {
        let interface = LabellingInterface::new(&classes(&["Noodles/Pasta", "Dairy product"]), Showing::Blind);
        let values: Vec<_> = interface
            .xml()
            .lines()
            .filter_map(|line| line.trim().strip_prefix("<Choice value=\"")?.strip_suffix("\"/>"))
            .collect();
        assert_eq!(values, ["Noodles/Pasta", "Dairy product", NOT_FOOD, UNREADABLE]);
    }

    #[test]
    fn no_class_can_be_mistaken_for_one_of_the_other_answers() {
        for answer in [NOT_FOOD, UNREADABLE] {
            assert!(Classes::new(vec![answer.to_owned(), "Soup".to_owned()]).is_err(), "{answer} may be a class");
        }
    }

    #[test]
    fn a_blind_one_refers_to_nothing_but_the_photo() {
        let classes = classes(&["Bread", "Soup"]);
        let referred = |showing| {
            let interface = LabellingInterface::new(&classes, showing);
            let names = interface.xml().split('$').skip(1).map(|rest| {
                rest.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_').next().unwrap().to_owned()
            });
            names.collect::<Vec<_>>()
        };
        assert_eq!(referred(Showing::Blind), ["image"]);
        assert_eq!(referred(Showing::Shown), ["image", "predicted_class", "confidence", "corrected_class"]);
    }
}
