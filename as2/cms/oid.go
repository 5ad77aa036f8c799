package cms

// OID is an object identifier in dotted form, "1.2.840.113549.1.7.1". It is a
// string so that the identifiers below can be constants.
type OID string

// Content types a ContentInfo can name (RFC 5652 section 3 and its relatives).
const (
	OIDData              OID = "1.2.840.113549.1.7.1"       // RFC 5652, arbitrary octets
	OIDSignedData        OID = "1.2.840.113549.1.7.2"       // RFC 5652 section 5
	OIDEnvelopedData     OID = "1.2.840.113549.1.7.3"       // RFC 5652 section 6
	OIDAuthEnvelopedData OID = "1.2.840.113549.1.9.16.1.23" // RFC 5083
	OIDCompressedData    OID = "1.2.840.113549.1.9.16.1.9"  // RFC 3274
)

const (
	oidContentType   OID = "1.2.840.113549.1.9.3"
	oidMessageDigest OID = "1.2.840.113549.1.9.4"
	oidSigningTime   OID = "1.2.840.113549.1.9.5"

	oidZlib OID = "1.2.840.113549.1.9.16.3.8"

	oidMD5    OID = "1.2.840.113549.2.5"
	oidSHA1   OID = "1.3.14.3.2.26"
	oidSHA256 OID = "2.16.840.1.101.3.4.2.1"
	oidSHA384 OID = "2.16.840.1.101.3.4.2.2"
	oidSHA512 OID = "2.16.840.1.101.3.4.2.3"
	oidSHA224 OID = "2.16.840.1.101.3.4.2.4"

	oidRSAEncryption OID = "1.2.840.113549.1.1.1"
	oidRSAOAEP       OID = "1.2.840.113549.1.1.7"
	oidMGF1          OID = "1.2.840.113549.1.1.8"
	oidPSpecified    OID = "1.2.840.113549.1.1.9"
	oidRSAPSS        OID = "1.2.840.113549.1.1.10"
	oidMD5RSA        OID = "1.2.840.113549.1.1.4"
	oidSHA1RSA       OID = "1.2.840.113549.1.1.5"
	oidSHA1RSAOld    OID = "1.3.14.3.2.29"
	oidSHA256RSA     OID = "1.2.840.113549.1.1.11"
	oidSHA384RSA     OID = "1.2.840.113549.1.1.12"
	oidSHA512RSA     OID = "1.2.840.113549.1.1.13"
	oidSHA224RSA     OID = "1.2.840.113549.1.1.14"

	oidECPublicKey OID = "1.2.840.10045.2.1"
	oidECDSASHA1   OID = "1.2.840.10045.4.1"
	oidECDSASHA224 OID = "1.2.840.10045.4.3.1"
	oidECDSASHA256 OID = "1.2.840.10045.4.3.2"
	oidECDSASHA384 OID = "1.2.840.10045.4.3.3"
	oidECDSASHA512 OID = "1.2.840.10045.4.3.4"
	oidEd25519     OID = "1.3.101.112"

	oidAES128CBC OID = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC OID = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC OID = "2.16.840.1.101.3.4.1.42"
	oidAES128GCM OID = "2.16.840.1.101.3.4.1.6"
	oidAES192GCM OID = "2.16.840.1.101.3.4.1.26"
	oidAES256GCM OID = "2.16.840.1.101.3.4.1.46"
	oid3DESCBC   OID = "1.2.840.113549.3.7"

	oidAES128Wrap OID = "2.16.840.1.101.3.4.1.5"
	oidAES192Wrap OID = "2.16.840.1.101.3.4.1.25"
	oidAES256Wrap OID = "2.16.840.1.101.3.4.1.45"
	oid3DESWrap   OID = "1.2.840.113549.1.9.16.3.6"

	// RFC 5753: dhSinglePass-stdDH and dhSinglePass-cofactorDH with X9.63 KDF.
	oidStdDHSHA1      OID = "1.3.133.16.840.63.0.2"
	oidStdDHSHA224    OID = "1.3.132.1.11.0"
	oidStdDHSHA256    OID = "1.3.132.1.11.1"
	oidStdDHSHA384    OID = "1.3.132.1.11.2"
	oidStdDHSHA512    OID = "1.3.132.1.11.3"
	oidCofactorSHA1   OID = "1.3.133.16.840.63.0.3"
	oidCofactorSHA224 OID = "1.3.132.1.14.0"
	oidCofactorSHA256 OID = "1.3.132.1.14.1"
	oidCofactorSHA384 OID = "1.3.132.1.14.2"
	oidCofactorSHA512 OID = "1.3.132.1.14.3"
)
