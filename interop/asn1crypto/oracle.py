"""A second opinion on CMS for the interoperability tests: asn1crypto reads and
writes the structures, cryptography does the arithmetic.

    oracle.py JOBS.json

The file is a list of jobs, the answer a list of results on standard output.
Octets travel as base64, keys and certificates as paths of PEM files.

    {"read": CMS, "key", "certificate", "content", "der"}
        Open a ContentInfo: verify the signature of certificate, decrypt with
        key, or inflate. content is what a detached signature is about; der
        asks that the octets are exactly their own DER.
        Result: type, content, digest, cipher, scheme, or error.
    {"write": "signed", "key", "certificate", "content", "digest", ...}
    {"write": "encrypted", "content", "cipher", "recipients": [...]}
    {"write": "compressed", "content"}
        Result: cms, or error.
"""

import base64
import hashlib
import json
import os
import sys
import traceback
import zlib

from asn1crypto import algos, cms, core, keys, pem, x509
from cryptography import x509 as certificates
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, keywrap, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

HASHES = {"sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}

# Key agreement (RFC 5753 section 7.1.4): which hash the derivation uses.
AGREEMENTS = {
    "1.3.133.16.840.63.0.2": "sha1",
    "1.3.132.1.11.0": "sha224",
    "1.3.132.1.11.1": "sha256",
    "1.3.132.1.11.2": "sha384",
    "1.3.132.1.11.3": "sha512",
}
WRAPS = {"2.16.840.1.101.3.4.1.5": 16, "2.16.840.1.101.3.4.1.25": 24, "2.16.840.1.101.3.4.1.45": 32}
KEY_SIZES = {"aes128": 16, "aes192": 24, "aes256": 32, "tripledes": 24}


class GCMParameters(core.Sequence):
    """RFC 5084 section 3.2."""

    _fields = [("nonce", core.OctetString), ("icv_length", core.Integer, {"default": 12})]


class SharedInfo(core.Sequence):
    """ECC-CMS-SharedInfo of RFC 5753 section 7.2."""

    _fields = [
        ("key_info", algos.AlgorithmIdentifier),
        ("entity_info", core.OctetString, {"explicit": 0, "optional": True}),
        ("public_info", core.OctetString, {"explicit": 2}),
    ]


def load_key(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def load_certificate(path):
    """The certificate for asn1crypto, and its public key."""
    with open(path, "rb") as file:
        raw = file.read()
    return x509.Certificate.load(pem.unarmor(raw)[2]), certificates.load_pem_x509_certificate(raw).public_key()


def names(certificate, identifier):
    """Whether a SignerIdentifier or RecipientIdentifier names the certificate."""
    if identifier.name == "issuer_and_serial_number":
        chosen = identifier.chosen
        return chosen["issuer"].dump() == certificate.issuer.dump() and chosen["serial_number"].native == certificate.serial_number
    if identifier.name == "r_key_id":
        return identifier.chosen["subject_key_identifier"].native == certificate.key_identifier
    return identifier.native == certificate.key_identifier


def read(job):
    octets = base64.b64decode(job["read"])
    info = cms.ContentInfo.load(octets, strict=True)
    info.native  # reads everything there is
    if job.get("der") and info.dump(force=True) != octets:
        raise ValueError("this is not DER")
    kind = info["content_type"].native
    result = {"type": kind}
    opened = {
        "signed_data": read_signed,
        "enveloped_data": read_encrypted,
        "authenticated_enveloped_data": read_encrypted,
        "compressed_data": read_compressed,
    }[kind](info["content"], job, result)
    result["content"] = base64.b64encode(opened).decode()
    return result


def read_signed(signed, job, result):
    certificate, public = load_certificate(job["certificate"])
    content = signed["encap_content_info"]["content"].native
    if content is None:
        content = base64.b64decode(job["content"])
    result["certificates"] = len(signed["certificates"]) if signed["certificates"].native else 0
    for signer in signed["signer_infos"]:
        if not names(certificate, signer["sid"]):
            continue
        digest = signer["digest_algorithm"]["algorithm"].native
        if digest not in [d["algorithm"].native for d in signed["digest_algorithms"]]:
            raise ValueError("the digest is not announced")
        covered = content
        if signer["signed_attrs"].native:
            attributes = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
            if attributes["message_digest"].native != [hashlib.new(digest, content).digest()]:
                raise ValueError("the digest differs")
            if attributes["content_type"].native != [signed["encap_content_info"]["content_type"].native]:
                raise ValueError("the content type differs")
            covered = signer["signed_attrs"].retag({"tag_class": 0, "tag": 17}).dump(force=True)
        algorithm, signature = signer["signature_algorithm"], signer["signature"].native
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, covered, ec.ECDSA(HASHES[digest]()))
            result["scheme"] = "ecdsa"
        elif algorithm["algorithm"].native == "rsassa_pss":
            p = algorithm["parameters"]
            mask = p["mask_gen_algorithm"]["parameters"]["algorithm"].native
            if p["hash_algorithm"]["algorithm"].native != digest:
                raise ValueError("PSS with another digest")
            scheme = asymmetric.PSS(asymmetric.MGF1(HASHES[mask]()), p["salt_length"].native)
            public.verify(signature, covered, scheme, HASHES[digest]())
            result["scheme"] = "rsa-pss"
        else:
            public.verify(signature, covered, asymmetric.PKCS1v15(), HASHES[digest]())
            result["scheme"] = "rsa-pkcs1-v1.5"
        result["digest"] = digest
        return content
    raise ValueError("the signer is not among the signers")


def read_encrypted(enveloped, job, result):
    certificate, _ = load_certificate(job["certificate"])
    key = content_key(enveloped["recipient_infos"], certificate, load_key(job["key"]), result)
    authenticated = isinstance(enveloped, cms.AuthEnvelopedData)
    inner = enveloped["auth_encrypted_content_info" if authenticated else "encrypted_content_info"]
    algorithm = inner["content_encryption_algorithm"]
    cipher = algorithm["algorithm"].native
    text = inner["encrypted_content"].native
    result["cipher"] = cipher
    if authenticated:
        p = GCMParameters.load(algorithm["parameters"].dump())
        tag = enveloped["mac"].native
        if len(tag) != p["icv_length"].native:
            raise ValueError("the tag has another length than the parameters say")
        attributes = enveloped["auth_attrs"]
        decryptor = Cipher(algorithms.AES(key), modes.GCM(p["nonce"].native, tag, min_tag_length=len(tag))).decryptor()
        if attributes.native:
            decryptor.authenticate_additional_data(attributes.retag({"tag_class": 0, "tag": 17}).dump(force=True))
        return decryptor.update(text) + decryptor.finalize()
    decryptor = Cipher(block_cipher(cipher, key), modes.CBC(algorithm["parameters"].native)).decryptor()
    unpadder = padding.PKCS7(block_bits(cipher)).unpadder()
    return unpadder.update(decryptor.update(text) + decryptor.finalize()) + unpadder.finalize()


def block_cipher(cipher, key):
    return TripleDES(key) if cipher.startswith("tripledes") else algorithms.AES(key)


def block_bits(cipher):
    return 64 if cipher.startswith("tripledes") else 128


def content_key(recipients, certificate, private, result):
    for recipient in recipients:
        info = recipient.chosen
        if recipient.name == "ktri" and names(certificate, info["rid"]):
            algorithm = info["key_encryption_algorithm"]
            encrypted = info["encrypted_key"].native
            if algorithm["algorithm"].native == "rsaes_oaep":
                p = algorithm["parameters"]
                digest = p["hash_algorithm"]["algorithm"].native
                mask = p["mask_gen_algorithm"]["parameters"]["algorithm"].native
                result["key"] = "oaep-" + digest
                scheme = asymmetric.OAEP(asymmetric.MGF1(HASHES[mask]()), HASHES[digest](), p["p_source_algorithm"]["parameters"].native or None)
                return private.decrypt(encrypted, scheme)
            result["key"] = "rsa"
            return private.decrypt(encrypted, asymmetric.PKCS1v15())
        if recipient.name == "kari":
            for wrapped in info["recipient_encrypted_keys"]:
                if names(certificate, wrapped["rid"]):
                    return agreed_key(info, wrapped["encrypted_key"].native, private, result)
    raise ValueError("we are no recipient")


def agreed_key(info, wrapped, private, result):
    point = info["originator"].chosen["public_key"].native
    if not isinstance(point, bytes):
        point = bytes(info["originator"].chosen["public_key"])
    public = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, point)
    algorithm = info["key_encryption_algorithm"]
    digest = AGREEMENTS[algorithm["algorithm"].dotted]
    wrap = algos.AlgorithmIdentifier.load(algorithm["parameters"].dump())
    size = WRAPS[wrap["algorithm"].dotted]
    result["key"] = "ecdh-" + digest
    kek = derive(private.exchange(ec.ECDH(), public), wrap, size, digest, info["ukm"].native)
    return keywrap.aes_key_unwrap(kek, wrapped)


def derive(secret, wrap, size, digest, ukm=None):
    values = {"key_info": wrap, "public_info": (size * 8).to_bytes(4, "big")}
    if ukm is not None:
        values["entity_info"] = ukm
    return X963KDF(HASHES[digest](), size, SharedInfo(values).dump()).derive(secret)


def read_compressed(compressed, job, result):
    if compressed["compression_algorithm"]["algorithm"].native != "zlib":
        raise ValueError("not zlib")
    inner = compressed["encap_content_info"]
    result["inside"] = inner["content_type"].native
    return zlib.decompress(inner["content"].native)


def write(job):
    made = {"signed": write_signed, "encrypted": write_encrypted, "compressed": write_compressed}[job["write"]]
    kind, content = made(job, base64.b64decode(job["content"]))
    info = cms.ContentInfo({"content_type": kind, "content": content})
    return {"cms": base64.b64encode(info.dump()).decode()}


def identifier(certificate, by_key, implicit=cms.SignerIdentifier):
    if by_key:
        return implicit("subject_key_identifier", certificate.key_identifier)
    return implicit("issuer_and_serial_number", cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}))


def write_signed(job, content):
    certificate, _ = load_certificate(job["certificate"])
    private, digest = load_key(job["key"]), job["digest"]
    signer = {
        "version": "v3" if job.get("by_key") else "v1",
        "sid": identifier(certificate, job.get("by_key")),
        "digest_algorithm": {"algorithm": digest},
    }
    covered = content
    if not job.get("bare"):
        attributes = cms.CMSAttributes([
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [hashlib.new(digest, content).digest()]},
        ])
        signer["signed_attrs"] = attributes
        covered = attributes.dump(force=True)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        signer["signature_algorithm"] = {"algorithm": digest + "_ecdsa"}
        signer["signature"] = private.sign(covered, ec.ECDSA(HASHES[digest]()))
    elif job.get("pss"):
        size = HASHES[digest].digest_size
        signer["signature_algorithm"] = {"algorithm": "rsassa_pss", "parameters": {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": digest}},
            "salt_length": size,
        }}
        signer["signature"] = private.sign(covered, asymmetric.PSS(asymmetric.MGF1(HASHES[digest]()), size), HASHES[digest]())
    else:
        signer["signature_algorithm"] = {"algorithm": "rsassa_pkcs1v15"}
        signer["signature"] = private.sign(covered, asymmetric.PKCS1v15(), HASHES[digest]())
    inner = {"content_type": "data"}
    if job.get("enclose"):
        inner["content"] = content
    signed = {
        "version": "v3" if job.get("by_key") else "v1",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": inner,
        "signer_infos": [signer],
    }
    if job.get("certificates"):
        signed["certificates"] = [certificate]
    return "signed_data", cms.SignedData(signed)


def write_encrypted(job, content):
    cipher = job["cipher"]
    key = os.urandom(KEY_SIZES[cipher.split("_")[0]])
    if job["cipher"].endswith("_gcm"):
        nonce = os.urandom(12)
        encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
        text = encryptor.update(content) + encryptor.finalize()
        parameters, tag = GCMParameters({"nonce": nonce, "icv_length": 16}), encryptor.tag
    else:
        iv = os.urandom(block_bits(cipher) // 8)
        padder = padding.PKCS7(block_bits(cipher)).padder()
        encryptor = Cipher(block_cipher(cipher, key), modes.CBC(iv)).encryptor()
        text = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
        parameters, tag = core.OctetString(iv), None
    recipients = [recipient_info(r, key) for r in job["recipients"]]
    version = "v2" if any(r.name == "kari" or r.chosen["version"].native == "v2" for r in recipients) else "v0"
    inner = {
        "content_type": "data",
        "content_encryption_algorithm": {"algorithm": cipher, "parameters": parameters},
        "encrypted_content": text,
    }
    if tag is None:
        return "enveloped_data", cms.EnvelopedData({"version": version, "recipient_infos": recipients, "encrypted_content_info": inner})
    return "authenticated_enveloped_data", cms.AuthEnvelopedData({
        "version": "v0", "recipient_infos": recipients, "auth_encrypted_content_info": inner, "mac": tag,
    })


def recipient_info(recipient, key):
    certificate, public = load_certificate(recipient["certificate"])
    by_key = recipient.get("by_key")
    if isinstance(public, rsa.RSAPublicKey):
        if digest := recipient.get("oaep"):
            scheme = asymmetric.OAEP(asymmetric.MGF1(HASHES[digest]()), HASHES[digest](), None)
            algorithm = {"algorithm": "rsaes_oaep", "parameters": {
                "hash_algorithm": {"algorithm": digest},
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": digest}},
                "p_source_algorithm": {"algorithm": "p_specified", "parameters": b""},
            }}
        else:
            scheme, algorithm = asymmetric.PKCS1v15(), {"algorithm": "rsaes_pkcs1v15"}
        return cms.RecipientInfo("ktri", cms.KeyTransRecipientInfo({
            "version": "v2" if by_key else "v0",
            "rid": identifier(certificate, by_key, cms.RecipientIdentifier),
            "key_encryption_algorithm": algorithm,
            "encrypted_key": public.encrypt(key, scheme),
        }))
    digest = recipient.get("kdf", "sha256")
    ephemeral = ec.generate_private_key(public.curve)
    wrap = algos.AlgorithmIdentifier({"algorithm": "2.16.840.1.101.3.4.1.45"})
    ukm = os.urandom(8) if recipient.get("ukm") else None
    kek = derive(ephemeral.exchange(ec.ECDH(), public), wrap, 32, digest, ukm)
    point = ephemeral.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if by_key:
        rid = cms.KeyAgreementRecipientIdentifier("r_key_id", {"subject_key_identifier": certificate.key_identifier})
    else:
        rid = identifier(certificate, False, cms.KeyAgreementRecipientIdentifier)
    values = {
        "version": "v3",
        "originator": cms.OriginatorIdentifierOrKey("originator_key", keys.PublicKeyInfo({"algorithm": {"algorithm": "ec"}, "public_key": point})),
        "key_encryption_algorithm": {"algorithm": next(o for o, d in AGREEMENTS.items() if d == digest), "parameters": wrap},
        "recipient_encrypted_keys": [{"rid": rid, "encrypted_key": keywrap.aes_key_wrap(kek, key)}],
    }
    if ukm is not None:
        values["ukm"] = ukm
    return cms.RecipientInfo("kari", cms.KeyAgreeRecipientInfo(values))


def write_compressed(job, content):
    return "compressed_data", cms.CompressedData({
        "version": "v0",
        "compression_algorithm": {"algorithm": "zlib"},
        "encap_content_info": {"content_type": "data", "content": zlib.compress(content)},
    })


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    results = []
    for job in jobs:
        try:
            results.append(read(job) if "read" in job else write(job))
        except Exception as problem:
            results.append({"error": f"{problem!r}\n{traceback.format_exc()}"})
    json.dump(results, sys.stdout)


main()
