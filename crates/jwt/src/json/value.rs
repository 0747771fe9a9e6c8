use simd_json::{Node, StaticNode};

/// A JSON value. `'a` is the [`Document`](super::Document)'s borrow, `'s` that of its text.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a, 's> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A string, escapes resolved.
    String(&'s str),
    /// An array.
    Array(Array<'a, 's>),
    /// An object.
    Object(Object<'a, 's>),
}

impl<'a, 's> Value<'a, 's> {
    /// The string, if it is one.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> Option<&'s str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The array, if it is one.
    #[inline]
    #[must_use]
    pub fn as_array(&self) -> Option<Array<'a, 's>> {
        match self {
            Value::Array(array) => Some(*array),
            _ => None,
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<Object<'a, 's>> {
        match self {
            Value::Object(object) => Some(*object),
            _ => None,
        }
    }

    /// Reads the value that starts at `nodes[0]`.
    #[inline]
    fn read(nodes: &'a [Node<'s>]) -> Self {
        match nodes[0] {
            Node::String(text) => Value::String(text),
            Node::Object { .. } => Value::Object(Object::new(nodes)),
            Node::Array { .. } => Value::Array(Array::new(nodes)),
            Node::Static(StaticNode::Null) => Value::Null,
            Node::Static(StaticNode::Bool(value)) => Value::Bool(value),
            Node::Static(StaticNode::I64(value)) => Value::Number(Number::Signed(value)),
            Node::Static(StaticNode::U64(value)) => Value::Number(Number::Unsigned(value)),
            Node::Static(StaticNode::F64(value)) => Value::Number(Number::Float(value)),
        }
    }
}

/// A finite JSON number: an integer if it is written as one and fits, otherwise the nearest double.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer below zero, or `-0`.
    Signed(i64),
    /// An integer of zero or more.
    Unsigned(u64),
    /// Written with a fraction or exponent, or outside the 64-bit integers.
    Float(f64),
}

impl Number {
    /// The greatest integer that is not greater, saturating at the ends of `i64`.
    #[must_use]
    pub fn floor(self) -> i64 {
        self.round(f64::floor)
    }

    /// The least integer that is not less, saturating at the ends of `i64`.
    #[must_use]
    pub fn ceil(self) -> i64 {
        self.round(f64::ceil)
    }

    fn round(self, round: fn(f64) -> f64) -> i64 {
        match self {
            Number::Signed(value) => value,
            Number::Unsigned(value) => i64::try_from(value).unwrap_or(i64::MAX),
            // A float cast saturates, and the parser lets no NaN through.
            Number::Float(value) => round(value) as i64,
        }
    }
}

/// A JSON array.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, 's> {
    length: usize,
    nodes: &'a [Node<'s>],
}

impl<'a, 's> Array<'a, 's> {
    #[inline]
    fn new(nodes: &'a [Node<'s>]) -> Self {
        match nodes {
            [Node::Array { len, count }, rest @ ..] => Array { length: *len, nodes: &rest[..*count] },
            _ => Array { length: 0, nodes: &[] },
        }
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The element at `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'a, 's>> {
        self.iter().nth(index)
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a, 's>> + use<'a, 's> {
        let mut rest = self.nodes;
        std::iter::from_fn(move || {
            let size = size(rest.first()?);
            let value = Value::read(rest);
            rest = &rest[size..];
            Some(value)
        })
    }
}

/// A JSON object, its member names unique.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a, 's> {
    length: usize,
    nodes: &'a [Node<'s>],
}

impl<'a, 's> Object<'a, 's> {
    #[inline]
    pub(super) fn new(nodes: &'a [Node<'s>]) -> Self {
        match nodes {
            [Node::Object { len, count }, rest @ ..] => Object { length: *len, nodes: &rest[..*count] },
            _ => Object { length: 0, nodes: &[] },
        }
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The value of the member `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'a, 's>> {
        self.positions().find(|(member, _)| *member == name).map(|(_, position)| self.at(position))
    }

    /// The names of the members in order.
    #[inline]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'s str> + use<'a, 's> {
        self.positions().map(|(name, _)| name)
    }

    /// The members in order, each with its value's position for [`Object::at`].
    #[inline]
    pub(crate) fn positions(&self) -> impl Iterator<Item = (&'s str, usize)> + use<'a, 's> {
        let nodes = self.nodes;
        let mut next = 0;
        std::iter::from_fn(move || {
            let Some(Node::String(name)) = nodes.get(next) else {
                return None;
            };
            let position = next + 1;
            next = position + size(nodes.get(position)?);
            Some((*name, position))
        })
    }

    /// The value at a position from [`Object::positions`].
    #[inline]
    pub(crate) fn at(&self, position: usize) -> Value<'a, 's> {
        Value::read(&self.nodes[position..])
    }

    /// The name of the member whose value is at a position from [`Object::positions`].
    pub(crate) fn name_at(&self, position: usize) -> &'s str {
        match self.nodes[position - 1] {
            Node::String(name) => name,
            _ => "",
        }
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'s str, Value<'a, 's>)> + use<'a, 's> {
        let object = *self;
        self.positions().map(move |(name, position)| (name, object.at(position)))
    }
}

/// The number of nodes in the value that begins with `node`.
#[inline]
fn size(node: &Node<'_>) -> usize {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        Node::String(_) | Node::Static(_) => 1,
    }
}
