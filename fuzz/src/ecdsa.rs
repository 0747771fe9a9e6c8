use std::sync::LazyLock;

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair};
use tollgate::keys::{Curve, PublicKey, VerifyingKey};
use tollgate::{Algorithm, KeySet};

/// The first byte chooses a key; the next ones change a good signature of the rest, or are a signature themselves. The
/// key's tables and ring agree on it. In this build a key also confirms each acceptance by its tables with its library.
pub fn ecdsa(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let signer = &SIGNERS[usize::from(choice) % SIGNERS.len()];
    let (changes, message) = data.split_at(data.len().min(signer.signature_bytes));
    let mut signature = match choice & 0x80 {
        0 => vec![0; signer.signature_bytes],
        _ => signer.pair.sign(&SystemRandom::new(), message).expect("ring signs").as_ref().to_vec(),
    };
    signature.iter_mut().zip(changes).for_each(|(byte, change)| *byte ^= change);
    let of_ring = signature::UnparsedPublicKey::new(signer.verification, signer.pair.public_key());
    let expected = of_ring.verify(message, &signature).is_ok();
    assert_eq!(signer.key.verify(message, &signature).is_ok(), expected, "{signature:02x?}");
}

struct Signer {
    pair: EcdsaKeyPair,
    /// With tables.
    key: VerifyingKey,
    verification: &'static EcdsaVerificationAlgorithm,
    signature_bytes: usize,
}

/// Two for each curve, new ones in each process.
static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let p256 = || {
        let signing = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        Signer::new(signing, &signature::ECDSA_P256_SHA256_FIXED, Curve::P256, Algorithm::ES256, 64)
    };
    let p384 = || {
        let signing = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
        Signer::new(signing, &signature::ECDSA_P384_SHA384_FIXED, Curve::P384, Algorithm::ES384, 96)
    };
    vec![p256(), p384(), p256(), p384()]
});

impl Signer {
    fn new(
        signing: &'static EcdsaSigningAlgorithm,
        verification: &'static EcdsaVerificationAlgorithm,
        curve: Curve,
        algorithm: Algorithm,
        signature_bytes: usize,
    ) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(signing, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(signing, document.as_ref(), &random).expect("a key");
        let key = PublicKey::ec(curve, pair.public_key().as_ref()).expect("a point");
        let key = VerifyingKey::new(&key, algorithm, None).expect("a key of the algorithm");
        let set = KeySet::builder().key(key).build().expect("a usable key");
        let key = set.iter().next().expect("the key").clone();
        Signer { pair, key, verification, signature_bytes }
    }
}
