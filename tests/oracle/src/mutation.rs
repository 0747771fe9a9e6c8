/// One change to a credential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mutation {
    /// The part that is changed.
    pub kind: Kind,
    /// The variant of the change, and its position.
    pub argument: u32,
}

macro_rules! kinds {
    ($($kind:ident,)*) => {
        /// The parts that can be changed, in the order of application: the members, the JSON text, its encoding, the
        /// signer, the signature, the whole token, the header around it.
        #[expect(missing_docs, reason = "the names say it")]
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// Each kind.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];
        }
    };
}

kinds! {
    SetHeaderMember,
    SwapAlgorithm,
    SwapKeyId,
    RemoveHeaderMember,
    DuplicateHeaderMember,
    EscapeHeaderName,
    SetClaim,
    SetTime,
    SetClaimToFreeText,
    RemoveClaim,
    DuplicateClaim,
    EscapeClaimName,
    AddNestedClaim,
    InsertIntoText,
    ChangeTextByte,
    TruncateText,
    SpreadText,
    ReplaceText,
    ReencodePart,
    SignWithOtherKey,
    SignAsHmac,
    SignBeforeReencoding,
    FlipSignatureBit,
    ResizeSignature,
    TransformSignature,
    FlipTokenBit,
    TruncateToken,
    InsertIntoToken,
    SwapParts,
    ChangeDots,
    ChangeCase,
    ChangeScheme,
    ChangeBasic,
    InsertIntoHeader,
    ReplaceHeader,
}

/// A mutation's argument, from which choices are taken one by one.
pub(crate) struct Choices(u32);

impl Choices {
    pub(crate) fn of(mutation: Mutation) -> Self {
        Choices(mutation.argument)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = end as u32;
        let choice = self.0 % end;
        self.0 /= end;
        choice as usize
    }

    pub(crate) fn one_of<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.below(all.len())]
    }

    /// Inserts one of `pieces` at the beginning, at the end or anywhere.
    pub(crate) fn insert_one_of(&mut self, pieces: &[&[u8]], text: &mut Vec<u8>) {
        let piece = self.one_of(pieces);
        let position = match self.below(4) {
            0 => 0,
            1 => text.len(),
            _ => self.below(text.len() + 1),
        };
        text.splice(position..position, piece.iter().copied());
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.below(2) == 1
    }
}
