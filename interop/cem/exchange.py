"""A partner for certificate exchanges (draft-meadors-certificate-exchange) that
shares nothing with ours: MIME by email, XML by xml.etree, bags by asn1crypto.

    exchange.py read             an entity on standard input: what it says, as JSON
    exchange.py offer CERT...    a request that offers certificates, PEM files
    exchange.py answer WORD...   the response to the request on standard input;
                                 WORD is Accepted or Rejected, one a certificate

An entity is Content-Type, an empty line and the body.
"""

import base64
import email
import email.policy
import json
import sys
import xml.etree.ElementTree as tree
from email.message import EmailMessage

from asn1crypto import cms, pem, x509

NS = "{urn:ietf:params:xml:ns:ediintcertificateexchange}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
LAYOUT = email.policy.HTTP.clone(max_line_length=76)  # folded header lines, wrapped base64
TYPE = "application/ediint-cert-exchange+xml"


def parts(entity):
    """The XML of an entity, and its certificates by Content-ID."""
    message = email.message_from_bytes(entity, policy=email.policy.HTTP)
    assert message.get_content_type() == "multipart/related", message.get_content_type()
    assert message["Content-Type"].params["type"] == TYPE, message["Content-Type"]
    text, bags = None, {}
    for part in message.iter_parts():
        assert not part.defects, part.defects
        content = part.get_payload(decode=True)
        if part.get_content_type() == TYPE:
            text = tree.fromstring(content)
            continue
        assert part.get_content_type() == "application/pkcs7-mime", part.get_content_type()
        assert part["Content-Type"].params["smime-type"] == "certs-only"
        info = cms.ContentInfo.load(content, strict=True)
        signed = info["content"]
        assert info["content_type"].native == "signed_data" and len(signed["signer_infos"]) == 0
        bags[part["Content-ID"].strip("<>")] = [c.chosen for c in signed["certificates"]]
    return text, bags


def read(entity):
    text, bags = parts(entity)
    info = text.find(NS + "TradingPartnerInfo")
    said = {
        "kind": text.tag.removeprefix(NS),
        "id": text.attrib["requestId"],
        "from": info.find(NS + "Name").text,
        "qualifier": info.find(NS + "Name").attrib["qualifier"],
        "originated": info.find(NS + "MessageOriginated").text,
        "trust": [],
        "answers": [],
    }
    for request in text.findall(NS + "TrustRequest"):
        end = request.find(NS + "EndEntity")
        serial = end.find(f"{NS}CertificateIdentifier/{DS}X509SerialNumber").text
        found = [c for c in bags[end.find(NS + "CertificateContentID").text] if str(c.serial_number) == serial]
        said["trust"].append({
            "usages": [u.text for u in request.findall(NS + "CertUsage")],
            "respond_by": request.findtext(NS + "RespondByDate", ""),
            "url": request.find(NS + "ResponseURL").text,
            "issuer": end.find(f"{NS}CertificateIdentifier/{DS}X509IssuerName").text,
            "certificate": base64.b64encode(found[0].dump()).decode(),
            "along": len(bags[end.find(NS + "CertificateContentID").text]) - 1,
        })
    for answer in text.findall(NS + "TrustResponse"):
        said["answers"].append({
            "status": answer.find(NS + "CertStatus").text,
            "reason": answer.findtext(NS + "ReasonForRejection", ""),
            "serial": answer.find(f"{NS}CertificateReference/{DS}X509SerialNumber").text,
        })
    return said


def write(root, bags):
    """An entity as email lays it out."""
    message = EmailMessage(policy=LAYOUT)
    message["Content-Type"] = f'multipart/related; type="{TYPE}"'
    xml = EmailMessage(policy=LAYOUT)
    xml.set_content(tree.tostring(root, encoding="utf-8", xml_declaration=True), "application", "ediint-cert-exchange+xml", cte="base64", cid="<xml@python>")
    message.attach(xml)
    for identifier, bag in bags:
        part = EmailMessage(policy=LAYOUT)
        part.set_content(bag, "application", "pkcs7-mime", cte="base64", cid=f"<{identifier}>", params={"smime-type": "certs-only", "name": "smime.p7c"})
        message.attach(part)
    for part in message.iter_parts():
        del part["MIME-Version"]
    del message["MIME-Version"]
    return message.as_bytes()


def root(name, identifier):
    top = tree.Element(NS + name, {"requestId": identifier})
    info = tree.SubElement(top, NS + "TradingPartnerInfo")
    tree.SubElement(info, NS + "Name", {"qualifier": "AS2"}).text = "PYTHON & Co"
    tree.SubElement(info, NS + "MessageOriginated").text = "2026-11-21T09:00:00.000+01:00"
    return top


def named(parent, certificate):
    tree.SubElement(parent, DS + "X509IssuerName").text = certificate.issuer.human_friendly
    tree.SubElement(parent, DS + "X509SerialNumber").text = str(certificate.serial_number)


def offer(files):
    top, bags = root("EDIINTCertificateExchangeRequest", "python-1@example"), []
    for i, file in enumerate(files):
        with open(file, "rb") as f:
            certificate = x509.Certificate.load(pem.unarmor(f.read())[2])
        request = tree.SubElement(top, NS + "TrustRequest")
        tree.SubElement(request, NS + "CertUsage").text = "digitalSignature"
        tree.SubElement(request, NS + "CertUsage").text = "keyEncipherment"
        tree.SubElement(request, NS + "RespondByDate").text = "2027-01-15T06:00:00+01:00"
        tree.SubElement(request, NS + "ResponseURL").text = "http://python.example/as2?a=1&b=2"
        end = tree.SubElement(request, NS + "EndEntity")
        named(tree.SubElement(end, NS + "CertificateIdentifier"), certificate)
        tree.SubElement(end, NS + "CertificateContentID").text = f"bag{i}@python"
        signed = cms.SignedData({
            "version": "v1", "digest_algorithms": [], "encap_content_info": {"content_type": "data"},
            "certificates": [cms.CertificateChoices("certificate", certificate)], "signer_infos": [],
        })
        bags.append((f"bag{i}@python", cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()))
    return write(top, bags)


def answer(entity, words):
    text, bags = parts(entity)
    top = root("EDIINTCertificateExchangeResponse", text.attrib["requestId"])
    for request, word in zip(text.findall(NS + "TrustRequest"), words, strict=True):
        end = request.find(NS + "EndEntity")
        response = tree.SubElement(top, NS + "TrustResponse")
        tree.SubElement(response, NS + "CertStatus").text = word
        if word == "Rejected":
            tree.SubElement(response, NS + "ReasonForRejection").text = "not <agreed> & not known"
        named(tree.SubElement(response, NS + "CertificateReference"), bags[end.find(NS + "CertificateContentID").text][0])
    return write(top, [])


def main():
    what, *words = sys.argv[1:]
    if what == "read":
        json.dump(read(sys.stdin.buffer.read()), sys.stdout)
    elif what == "offer":
        sys.stdout.buffer.write(offer(words))
    elif what == "answer":
        sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), words))
    else:
        sys.exit(__doc__)


main()
