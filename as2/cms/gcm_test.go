package cms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"testing"
)

// TestGCMStreamIsGCM compares with the standard library: every length of
// content, of additional data, of nonce, and any way to cut the content.
func TestGCMStreamIsGCM(t *testing.T) {
	t.Parallel()
	key := make([]byte, 32)
	for _, n := range []int{0, 1, 15, 16, 17, 255, 256, 4096, chunkSize, chunkSize + 48, 3*chunkSize + 7} {
		for _, aad := range []int{0, 1, 16, 40, 1000} {
			for _, nonceSize := range []int{12, 1, 8, 16, 60} {
				if _, err := rand.Read(key); err != nil {
					t.Fatal(err)
				}
				nonce := make([]byte, nonceSize)
				if _, err := rand.Read(nonce); err != nil {
					t.Fatal(err)
				}
				plain, additional := sample(n), sample(aad)
				block, err := aes.NewCipher(key)
				if err != nil {
					t.Fatal(err)
				}
				std, err := cipher.NewGCMWithNonceSize(block, nonceSize)
				if err != nil {
					t.Fatal(err)
				}
				want := std.Seal(nil, nonce, plain, additional)
				for _, step := range []int{16, 4096, chunkSize} {
					g, err := newGCMStream(block, nonce)
					if err != nil {
						t.Fatal(err)
					}
					got := bytes.Clone(plain)
					for rest := got; len(rest) > 0; rest = rest[min(step, len(rest)):] {
						g.seal(rest[:min(step, len(rest))])
					}
					got = append(got, g.sum(additional)...)
					if !bytes.Equal(got, want) {
						t.Fatalf("content %d, additional %d, nonce %d, step %d differ", n, aad, nonceSize, step)
					}
				}
			}
		}
	}
}

// TestGCMCounterWraps uses a nonce whose first counter block is near the end of
// the 32-bit counter: found by trying, it is at most 400 blocks away from it.
func TestGCMCounterWraps(t *testing.T) {
	t.Parallel()
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	plain := sample(1 << 20)
	g, err := newGCMStream(block, make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	// The counter's last 16 blocks before it wraps.
	copy(g.next[12:], []byte{0xff, 0xff, 0xff, 0xf0})
	g.step(0)
	got := bytes.Clone(plain)
	g.xor(got)

	counter := g.first
	copy(counter[12:], []byte{0xff, 0xff, 0xff, 0xf0})
	want := bytes.Clone(plain)
	for i := 0; i < len(want); i += 16 {
		var stream [16]byte
		block.Encrypt(stream[:], counter[:])
		for j := range stream {
			want[i+j] ^= stream[j]
		}
		for j := 15; j >= 12; j-- {
			if counter[j]++; counter[j] != 0 {
				break
			}
		}
	}
	if !bytes.Equal(got, want) {
		t.Error("the counter does not wrap within its 32 bits")
	}
}

func TestFieldInverse(t *testing.T) {
	t.Parallel()
	one := field{hi: 1 << 63}
	for i := range 50 {
		f := field{hi: 0x0123456789abcdef * uint64(i+1), lo: ^uint64(i) * 77}
		if got := f.mul(f.inverse()); got != one {
			t.Fatalf("%x times its inverse is %x", f, got)
		}
		want := one
		for n := range uint64(20) {
			if got := f.power(n); got != want {
				t.Fatalf("power %d of %x is %x, not %x", n, f, got, want)
			}
			want = want.mul(f)
		}
	}
}

// Vectors of RFC 3394 section 4.1 and 4.6, and of ANSI X9.63 as NIST publishes
// them for SHA-256 without shared info.
func TestKeyWrapVectors(t *testing.T) {
	t.Parallel()
	for _, v := range [][3]string{
		{"000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF", "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"},
		{"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F", "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"},
	} {
		kek, key, want := unhex(t, v[0]), unhex(t, v[1]), unhex(t, v[2])
		block, err := aes.NewCipher(kek)
		if err != nil {
			t.Fatal(err)
		}
		got := wrapKey(block, key)
		if !bytes.Equal(got, want) {
			t.Errorf("wrapped %x", got)
		}
		if back, ok := unwrapKey(block, got); ok != 1 || !bytes.Equal(back, key) {
			t.Errorf("unwrapped %x, %d", back, ok)
		}
		for i := range got {
			bad := bytes.Clone(got)
			bad[i] ^= 1
			if _, ok := unwrapKey(block, bad); ok != 0 {
				t.Errorf("octet %d does not matter", i)
			}
		}
		for _, n := range []int{0, 8, 16, 23, len(got) - 1} {
			if _, ok := unwrapKey(block, got[:n]); ok != 0 {
				t.Errorf("%d octets were unwrapped", n)
			}
		}
	}
	secret := unhex(t, "96c05619d56c328ab95fe84b18264b08725b85e33fd34f08")
	if got := deriveKey(SHA256, secret, nil, 16); hex.EncodeToString(got) != "443024c3dae66b95e6f5670601558f71" {
		t.Errorf("derived %x", got)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
