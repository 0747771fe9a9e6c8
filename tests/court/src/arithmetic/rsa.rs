//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 section 8), step by step.

use num_bigint::BigUint;

use super::der::{self, element};
use super::hash::{Hash, expand};
use super::to_bytes;

#[derive(Clone)]
pub(crate) struct PrivateKey {
    pub(crate) n: BigUint,
    pub(crate) e: BigUint,
    p: BigUint,
    q: BigUint,
    /// d modulo p - 1 and q - 1, and the inverse of q modulo p.
    dp: BigUint,
    dq: BigUint,
    q_inverse: BigUint,
}

impl PrivateKey {
    pub(crate) fn new(p: BigUint, q: BigUint, e: BigUint) -> Self {
        let (p1, q1) = (&p - 1_u8, &q - 1_u8);
        let d = e.modinv(&(&p1 * &q1)).expect("e has an inverse");
        let q_inverse = q.modinv(&p).expect("p is another prime");
        PrivateKey { n: &p * &q, dp: &d % p1, dq: &d % q1, e, p, q, q_inverse }
    }

    /// Bytes in the modulus.
    pub(crate) fn length(&self) -> usize {
        self.n.bits().div_ceil(8) as usize
    }

    /// The signature with message representative `encoded`, valid or not (RFC 8017 section 5.2.1).
    pub(crate) fn raw(&self, encoded: &[u8]) -> Vec<u8> {
        let message = BigUint::from_bytes_be(encoded);
        let mp = message.modpow(&self.dp, &self.p);
        let mq = message.modpow(&self.dq, &self.q);
        let h = &self.q_inverse * (mp + &self.p - &mq % &self.p) % &self.p;
        to_bytes(&(mq + h * &self.q), self.length())
    }

    pub(crate) fn sign_pkcs1(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        self.raw(&pkcs1(&digest_info(hash, &hash.digest(message)), self.length()))
    }

    pub(crate) fn sign_pss(&self, pss: &Pss, message: &[u8]) -> Vec<u8> {
        self.raw(&pss.encode(message, self.n.bits() as usize - 1))
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) of `info`, `length` bytes long.
pub(crate) fn pkcs1(info: &[u8], length: usize) -> Vec<u8> {
    let padding = vec![0xff; length - info.len() - 3];
    [&[0, 1], padding.as_slice(), &[0], info].concat()
}

/// A DigestInfo.
pub(crate) fn digest_info(hash: Hash, digest: &[u8]) -> Vec<u8> {
    let null = element(der::NULL, &[]);
    digest_info_with(&[&element(der::OID, &[hash.oid()]), &null], digest)
}

/// A DigestInfo whose AlgorithmIdentifier has this content.
pub(crate) fn digest_info_with(algorithm: &[&[u8]], digest: &[u8]) -> Vec<u8> {
    element(der::SEQUENCE, &[&element(der::SEQUENCE, algorithm), &element(der::OCTET_STRING, &[digest])])
}

/// EMSA-PSS (RFC 8017 section 9.1.1). Each part can be made wrong.
#[derive(Clone)]
pub(crate) struct Pss {
    pub(crate) hash: Hash,
    pub(crate) mask: Hash,
    pub(crate) salt_length: usize,
    /// 0xbc.
    pub(crate) trailer: u8,
    /// Between the padding and the salt: 1.
    pub(crate) separator: u8,
    /// The second byte of the padding, if there is one: 0.
    pub(crate) padding: u8,
    /// Whether the bits beyond the modulus are set.
    pub(crate) high_bits: bool,
}

impl Pss {
    /// As required by RFC 7518 section 3.5.
    pub(crate) fn new(hash: Hash) -> Self {
        let salt_length = hash.length();
        Pss { hash, mask: hash, salt_length, trailer: 0xbc, separator: 1, padding: 0, high_bits: false }
    }

    fn encode(&self, message: &[u8], bits: usize) -> Vec<u8> {
        let length = bits.div_ceil(8);
        let digest = self.hash.digest(message);
        let salt = expand("salt", &digest, self.salt_length);
        let h = self.hash.digest(&[&[0; 8], digest.as_slice(), &salt].concat());
        let mut db = vec![0; length - salt.len() - h.len() - 2];
        if let Some(byte) = db.get_mut(1) {
            *byte = self.padding;
        }
        db.push(self.separator);
        db.extend(&salt);
        for (byte, mask) in db.iter_mut().zip(self.mask(&h, length)) {
            *byte ^= mask;
        }
        db[0] &= 0xff >> (8 * length - bits);
        if self.high_bits {
            db[0] |= 0x80;
        }
        [db.as_slice(), &h, &[self.trailer]].concat()
    }

    /// MGF1 (RFC 8017 appendix B.2.1).
    fn mask(&self, seed: &[u8], length: usize) -> Vec<u8> {
        let blocks = (0..u32::try_from(length).expect("short"))
            .map(|counter| self.mask.digest(&[seed, &counter.to_be_bytes()].concat()));
        blocks.take(length.div_ceil(self.mask.length())).flatten().collect()
    }
}
