//! What a file may hold: the one table from which decoder, unknown-key check, JSON Schema and manual derive.
//!
//! # Invariants
//! * Every default is a value that a file could hold (`every_default_is_a_valid_value`).

/// What may stand at a place.
pub(crate) enum Shape {
    /// One scalar.
    Scalar { label: &'static str, schema: serde_json::Value },
    /// Exactly this word.
    Word(&'static str),
    /// One of these words.
    Words(Vec<(&'static str, &'static str)>),
    /// A list of at least so many items.
    List { item: Box<Shape>, least: usize },
    /// Names that the operator chooses.
    Map { key: &'static str, item: Box<Shape> },
    /// Known keys.
    Block { name: &'static str, doc: String, fields: Vec<Field> },
    /// The first that fits.
    Either(Vec<Shape>),
}

/// One key of a block.
pub(crate) struct Field {
    pub key: &'static str,
    pub doc: String,
    pub presence: Presence,
    pub shape: Shape,
}

/// What holds if a key is left out.
#[derive(Clone, Copy)]
pub(crate) enum Presence {
    Required,
    Optional,
    Default(&'static str),
}

/// Doc comments as one text: lines joined, without the space behind `///`.
pub(crate) fn doc_text(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The key of a field whose name is a Rust keyword.
pub(crate) fn key_text(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Declares a block of the file. Each field is `name: Type = required | needed | optional | default("yaml") | flatten`:
/// without a required key there is no block; without a needed one there is, so that the rest can be checked; needed and optional
/// ones have type `Option<Type>`; a flattened one is a block whose keys stand among these. Every block knows where it stands
/// (`at`) and whether no problem has been told about it (`sound`).
macro_rules! block {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $block:ident {
            $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty = $mode:ident $(($default:literal))?,)*
        }
    ) => {
        $(#[doc = $doc])*
        $vis struct $block {
            /// Where the block stands.
            #[allow(dead_code, reason = "not every block has cross checks")]
            pub at: $crate::problem::Position,
            /// No problem was told about it: what is absent was left out.
            #[allow(dead_code, reason = "not every block has cross checks")]
            pub sound: bool,
            $($(#[doc = $field_doc])* pub $field: block!(@type $mode $ty),)*
        }

        impl $crate::decode::Block for $block {
            fn doc() -> String {
                $crate::shape::doc_text(&[$($doc),*])
            }

            fn fields() -> Vec<$crate::shape::Field> {
                [$(block!(@field $mode $ty, $field, [$($field_doc),*] $(, $default)?)),*].into_iter().flatten().collect()
            }

            fn keys() -> Vec<&'static str> {
                [$(block!(@keys $mode $ty, $field)),*].concat()
            }

            fn read(reader: &mut $crate::decode::Reader<'_, '_>) -> Option<Self> {
                let at = reader.at();
                $(let $field = block!(@read reader, $mode $ty, $field $(, $default)?);)*
                let sound = reader.sound();
                Some(Self { at, sound, $($field: $field?),* })
            }
        }

        impl $crate::decode::Decode for $block {
            fn decode(node: &$crate::yaml::Node, cx: &mut $crate::decode::Context) -> Option<Self> {
                $crate::decode::decode_block(node, cx)
            }

            fn shape() -> $crate::shape::Shape {
                use $crate::decode::Block;
                $crate::shape::Shape::Block { name: stringify!($block), doc: Self::doc(), fields: Self::fields() }
            }
        }
    };

    (@type optional $ty:ty) => { Option<$ty> };
    (@type needed $ty:ty) => { Option<$ty> };
    (@type $mode:ident $ty:ty) => { $ty };

    (@read $reader:ident, required $ty:ty, $field:ident) => {
        $reader.required::<$ty>($crate::shape::key_text(stringify!($field)))
    };
    (@read $reader:ident, needed $ty:ty, $field:ident) => {
        Some($reader.required::<$ty>($crate::shape::key_text(stringify!($field))))
    };
    (@read $reader:ident, optional $ty:ty, $field:ident) => {
        $reader.optional::<$ty>($crate::shape::key_text(stringify!($field)))
    };
    (@read $reader:ident, default $ty:ty, $field:ident, $default:literal) => {
        $reader.default::<$ty>($crate::shape::key_text(stringify!($field)), $default)
    };
    (@read $reader:ident, flatten $ty:ty, $field:ident) => {
        <$ty as $crate::decode::Block>::read($reader)
    };

    (@field flatten $ty:ty, $field:ident, [$($doc:literal),*]) => {
        <$ty as $crate::decode::Block>::fields()
    };
    (@field $mode:ident $ty:ty, $field:ident, [$($doc:literal),*] $(, $default:literal)?) => {
        vec![$crate::shape::Field {
            key: $crate::shape::key_text(stringify!($field)),
            doc: $crate::shape::doc_text(&[$($doc),*]),
            presence: block!(@presence $mode $($default)?),
            shape: <$ty as $crate::decode::Decode>::shape(),
        }]
    };

    (@keys flatten $ty:ty, $field:ident) => { <$ty as $crate::decode::Block>::keys() };
    (@keys $mode:ident $ty:ty, $field:ident) => { vec![$crate::shape::key_text(stringify!($field))] };

    (@presence required) => { $crate::shape::Presence::Required };
    (@presence needed) => { $crate::shape::Presence::Required };
    (@presence optional) => { $crate::shape::Presence::Optional };
    (@presence default $default:literal) => { $crate::shape::Presence::Default($default) };
}

/// Declares how the values of an enum are written: `word => Variant, "what it means"`.
macro_rules! words {
    ($ty:ty { $($word:literal => $variant:expr, $doc:literal;)* }) => {
        impl $crate::words::Words for $ty {
            const WORDS: &'static [(&'static str, Self, &'static str)] = &[$(($word, $variant, $doc)),*];
        }

        impl $crate::decode::Decode for $ty {
            fn decode(node: &$crate::yaml::Node, cx: &mut $crate::decode::Context) -> Option<Self> {
                $crate::words::decode_word(node, cx)
            }

            fn shape() -> $crate::shape::Shape {
                use $crate::words::Words;
                $crate::shape::Shape::Words(Self::WORDS.iter().map(|(word, _, doc)| (*word, *doc)).collect())
            }
        }
    };
}

pub(crate) use {block, words};
