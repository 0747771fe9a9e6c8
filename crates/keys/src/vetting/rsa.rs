use crate::key_refused::KeyRefused;
use crate::limits::{MAX_RSA_EXPONENT_BITS, MAX_RSA_MODULUS_BITS, MIN_RSA_MODULUS_BITS};

/// Vets an RSA key. Both numbers are big-endian without leading zeros (RFC 8017 section 3.1, NIST SP 800-56B section
/// 6.4.2.1).
pub(crate) fn vet_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyRefused> {
    let bits = bit_length(modulus);
    if bits < MIN_RSA_MODULUS_BITS {
        return Err(KeyRefused::RsaModulusTooSmall { bits });
    }
    if bits > MAX_RSA_MODULUS_BITS {
        return Err(KeyRefused::RsaModulusTooLarge { bits });
    }
    if is_even(modulus) {
        return Err(KeyRefused::RsaModulusEven);
    }
    if matches!(exponent, [] | [1]) {
        return Err(KeyRefused::RsaExponentTooSmall);
    }
    if is_even(exponent) {
        return Err(KeyRefused::RsaExponentEven);
    }
    let bits = bit_length(exponent);
    if bits > MAX_RSA_EXPONENT_BITS {
        return Err(KeyRefused::RsaExponentTooLarge { bits });
    }
    if has_roca_fingerprint(modulus) {
        return Err(KeyRefused::RsaModulusRoca);
    }
    Ok(())
}

fn bit_length(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn is_even(number: &[u8]) -> bool {
    number.last().is_none_or(|last| last & 1 == 0)
}

/// Whether the modulus is, modulo each of the small primes, a power of 65537.
///
/// The vulnerable library generated primes of the form k M + (65537^a mod M), M the product of the first primes (Nemec
/// et al., "The Return of Coppersmith's Attack", 2017, section 2). Modulo each prime of M, their product is a power of
/// 65537 too. About one in 2^27 of other moduli has this property.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    PRIMES_OF_M.iter().all(|&prime| {
        let residue = modulus.iter().fold(0, |residue, &byte| (residue << 8 | u32::from(byte)) % prime);
        let mut power = 1;
        loop {
            if power == residue {
                return true;
            }
            power = power * 65537 % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

/// The odd primes of the smallest M, that for moduli of 512 to 960 bits. Every larger M contains them.
const PRIMES_OF_M: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
