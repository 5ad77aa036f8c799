package demo

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"tradepost/certs"
	"tradepost/edi"
	"tradepost/internal/config"
	"tradepost/internal/freeport"
)

//go:embed documents/* station.yaml.tmpl
var files embed.FS

// side is one of the two stations of the demonstration.
type side struct {
	Name       string // "buyer"
	AS2ID      string
	Identifier string // "ZZ:BUYER"
	Connection string // the connection to the other side
	AS2Address string // "127.0.0.1:4080"
	Admin      string // "127.0.0.1:4081"
	Company    string // for people
	dir        string
	ports      []*freeport.Port // held while the demonstration runs, when it made the station
	guide      []byte           // what the supplier judges orders by; a copy lies with the buyer
	Peer       *side
	Inbound    []rule // what the other side sends
	Outbound   []string
}

type rule struct{ Document, Guide string }

func (s *side) config() string { return filepath.Join(s.dir, "tradepost.yaml") }
func (s *side) outbox() string { return filepath.Join(s.dir, "backoffice", "out") }
func (s *side) inbox() string  { return filepath.Join(s.dir, "backoffice", "in") }
func (s *side) token() string  { return filepath.Join(s.dir, "keys", "admin.token") }

// newSides describes the two stations. When h is not nil the identifiers are
// those of a real document's interchange.
func newSides(dir string, h *edi.Header) (buyer, supplier *side) {
	buyer = &side{
		Name: "buyer", Company: "Northwind Stores", AS2ID: "BUYER", Identifier: "ZZ:BUYER", Connection: "supplier-as2",
		Inbound: []rule{{Document: "855"}, {Document: "856"}, {Document: "810"}}, Outbound: []string{"850", "860"},
	}
	supplier = &side{
		Name: "supplier", Company: "Cascade Housewares", AS2ID: "SUPPLIER", Identifier: "ZZ:SUPPLIER", Connection: "buyer-as2",
		Inbound: []rule{{Document: "850", Guide: "guides/supplier-850.guide"}}, Outbound: []string{"855", "856", "810"},
	}
	if h != nil {
		buyer.Identifier, supplier.Identifier = h.Sender.String(), h.Receiver.String()
	}
	buyer.Peer, supplier.Peer = supplier, buyer
	for _, s := range []*side{buyer, supplier} {
		s.dir = filepath.Join(dir, s.Name)
	}
	return buyer, supplier
}

// makeStations writes the two stations to disk: configuration, keys, folders,
// and each other's certificates. Stations that are there already are left
// alone. They are made in a folder beside and moved into place when both are
// whole, so that a demonstration that dies on the way leaves no half station.
func makeStations(dir string, now time.Time, buyer, supplier *side) error {
	sides := []*side{buyer, supplier}
	making, made := filepath.Join(dir, ".making"), filepath.Join(dir, ".made")
	if !exists(buyer.config()) && !exists(made) {
		if err := os.RemoveAll(making); err != nil {
			return err
		}
		if err := writeStations(making, now, sides); err != nil {
			return err
		}
		if err := os.Rename(making, made); err != nil {
			return err
		}
	}
	for _, s := range sides {
		if from := filepath.Join(made, s.Name); exists(from) {
			if err := os.Rename(from, s.dir); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(made)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeStations writes every side into a folder of its name below dir.
func writeStations(dir string, now time.Time, sides []*side) error {
	pairs := map[*side]*certs.Pair{}
	for _, s := range sides {
		if err := s.choosePorts(); err != nil {
			return err
		}
		pair, err := certs.Generate(certs.Request{CommonName: s.AS2ID, Organization: s.Company, NotBefore: now.Add(-time.Hour)}, rand.Reader)
		if err != nil {
			return fmt.Errorf("make keys for the %s: %w", s.Name, err)
		}
		pairs[s] = pair
	}
	for _, s := range sides {
		folder := filepath.Join(dir, s.Name)
		for _, d := range []string{"keys", "guides", "backoffice/in", "backoffice/out"} {
			if err := os.MkdirAll(filepath.Join(folder, d), 0o700); err != nil {
				return err
			}
		}
		if err := writeStation(folder, s, pairs[s], pairs[s.Peer]); err != nil {
			return fmt.Errorf("write the %s's station to %s: %w", s.Name, folder, err)
		}
	}
	return nil
}

func writeStation(folder string, s *side, own, peer *certs.Pair) error {
	keys := filepath.Join(folder, "keys")
	if err := certs.WriteKeyFile(filepath.Join(keys, "station.key"), own, nil, rand.Reader); err != nil {
		return err
	}
	token := make([]byte, 32)
	if _, err := rand.Read(token); err != nil {
		return err
	}
	text, err := template.ParseFS(files, "station.yaml.tmpl")
	if err != nil {
		return err
	}
	var config bytes.Buffer
	if err := text.Execute(&config, s); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"keys/station.crt":             certs.EncodeCertificate(own.Certificate),
		"keys/" + s.Peer.Name + ".crt": certs.EncodeCertificate(peer.Certificate),
		"keys/admin.token":             []byte("# NAME TOKEN, one a line: who may use the API\ndemo " + hex.EncodeToString(token) + "\n"),
		"guides/supplier-850.guide":    s.guide,
		"tradepost.yaml":               config.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// readAddresses takes the addresses from the station's configuration, which
// may be of an earlier run.
func (s *side) readAddresses() error {
	c, err := config.Load(s.config(), config.Overrides{NoFiles: true})
	if err != nil {
		return err
	}
	s.AS2Address, s.Admin = c.Listen.AS2, c.Listen.Admin
	return nil
}

// choosePorts finds two free ports. They stay in the station's configuration, so
// that it can be served again later under the same address, and are held until
// the demonstration is over.
func (s *side) choosePorts() error {
	for _, address := range []*string{&s.AS2Address, &s.Admin} {
		p, err := freeport.Reserve()
		if err != nil {
			return err
		}
		s.ports = append(s.ports, p)
		*address = p.Address()
	}
	return nil
}

// release lets others have the ports of the side.
func (s *side) release() {
	for _, p := range s.ports {
		_ = p.Release()
	}
}
