package cms

// Cipher names a content encryption algorithm with its key size and mode. The
// zero value names none.
type Cipher string

// The content encryption algorithms of this package (RFC 3565, RFC 5084,
// RFC 3370). 3DES is here for old partners: 26 MB/s at best and broken by
// design for large contents.
const (
	AES128CBC Cipher = "aes-128-cbc"
	AES192CBC Cipher = "aes-192-cbc"
	AES256CBC Cipher = "aes-256-cbc"
	AES128GCM Cipher = "aes-128-gcm"
	AES192GCM Cipher = "aes-192-gcm"
	AES256GCM Cipher = "aes-256-gcm"
	TripleDES Cipher = "3des"
)

// Ciphers lists every content encryption algorithm of this package.
func Ciphers() []Cipher {
	return []Cipher{TripleDES, AES128CBC, AES192CBC, AES256CBC, AES128GCM, AES192GCM, AES256GCM}
}

// ParseCipher reads the name of a cipher in the spellings products use:
// "aes128", "AES256_CBC", "aes-256-gcm", "3des", "des-ede3-cbc", "tripledes".
// An AES name without a mode means CBC. It returns *UnsupportedError for a name
// it does not know.
func ParseCipher(name string) (Cipher, error) {
	switch foldName(name) {
	case "aes128", "aes128cbc":
		return AES128CBC, nil
	case "aes192", "aes192cbc":
		return AES192CBC, nil
	case "aes256", "aes256cbc":
		return AES256CBC, nil
	case "aes128gcm", "idaes128gcm":
		return AES128GCM, nil
	case "aes192gcm", "idaes192gcm":
		return AES192GCM, nil
	case "aes256gcm", "idaes256gcm":
		return AES256GCM, nil
	case "3des", "3descbc", "des3", "desede3", "desede3cbc", "desedecbc", "desede", "tripledes", "tripledescbc":
		return TripleDES, nil
	}
	return "", &UnsupportedError{What: "cipher", Name: name}
}

// KeySize is the length of the key in octets, 0 when c is not Valid.
func (c Cipher) KeySize() int {
	switch c {
	case AES128CBC, AES128GCM:
		return 16
	case AES192CBC, AES192GCM, TripleDES:
		return 24
	case AES256CBC, AES256GCM:
		return 32
	}
	return 0
}

// Valid tells whether c is one of the ciphers of this package.
func (c Cipher) Valid() bool { return c.KeySize() != 0 }

// Authenticated tells whether c also protects the content against changes
// (AES-GCM). Such content travels in an AuthEnvelopedData.
func (c Cipher) Authenticated() bool {
	return c == AES128GCM || c == AES192GCM || c == AES256GCM
}

// maxContent is how many octets may be encrypted under one key: GCM has a limit
// (SP 800-38D section 5.2.1.1), for CBC it is what fits in lengths.
func (c Cipher) maxContent() int64 {
	if c.Authenticated() {
		return gcmMaxContent
	}
	return 1 << 60
}

// OID is the algorithm identifier of c, "" when c is not Valid.
func (c Cipher) OID() OID {
	switch c {
	case AES128CBC:
		return oidAES128CBC
	case AES192CBC:
		return oidAES192CBC
	case AES256CBC:
		return oidAES256CBC
	case AES128GCM:
		return oidAES128GCM
	case AES192GCM:
		return oidAES192GCM
	case AES256GCM:
		return oidAES256GCM
	case TripleDES:
		return oid3DESCBC
	}
	return ""
}

// cipherOf finds the cipher an algorithm identifier names.
func cipherOf(id OID) (Cipher, bool) {
	for _, c := range Ciphers() {
		if c.OID() == id {
			return c, true
		}
	}
	return "", false
}
