package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tradepost/as2"
	"tradepost/certs"

	"github.com/spf13/cobra"
)

// newAS2Command is `tradepost as2`: AS2 by hand, without a station.
func newAS2Command(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "as2",
		Short: "Send, receive and check AS2 transmissions by hand",
		Long: `The commands of as2 work on files and need no station: a stored request or
receipt is its header lines, an empty line and the body.`,
	},
		newAS2SendCommand(env),
		newAS2ReceiveCommand(env),
		newAS2VerifyCommand(env),
		newAS2DecryptCommand(env),
	)
}

// identity is the part of an as2 command line that names keys.
type identity struct {
	cert, key, partnerCert string
	seal                   sealing
}

// flags adds --cert, --key and --partner-cert to cmd.
func (i *identity) flags(cmd *cobra.Command, partner bool) {
	cmd.Flags().StringVar(&i.cert, "cert", "", "our own certificate, PEM or DER `FILE`")
	cmd.Flags().StringVar(&i.key, "key", "", "our own private key, PEM or DER `FILE`")
	cmd.Flags().StringVar(&i.seal.file, "seal-with", "", "configuration `FILE` of the station whose sealing key opens --key, when it is sealed")
	if partner {
		cmd.Flags().StringVar(&i.partnerCert, "partner-cert", "", "the partner's certificate or certificates, PEM, DER or .p7b `FILE`")
	}
}

// own reads our key pair; none when neither flag is given.
func (i *identity) own(env *Env) ([]as2.Key, error) {
	if i.cert == "" && i.key == "" {
		return nil, nil
	}
	if i.cert == "" || i.key == "" {
		return nil, exit(ExitUsage, "--cert and --key go together: give both")
	}
	c, err := readInput(i.cert)
	if err != nil {
		return nil, err
	}
	k, err := readInput(i.key)
	if err != nil {
		return nil, err
	}
	p, err := i.pair(env, c, k)
	if err != nil {
		return nil, fmt.Errorf("--cert %s, --key %s: %w", i.cert, i.key, err)
	}
	return []as2.Key{{Certificate: p.Certificate, Private: p.Key}}, nil
}

// pair puts certificate and key together, plain or sealed.
func (i *identity) pair(env *Env, certificates, key []byte) (*certs.Pair, error) {
	if !certs.IsSealed(key) {
		return certs.ParsePair(certificates, key)
	}
	sealer, err := i.seal.sealer(env)
	if err != nil {
		return nil, err
	}
	if sealer == nil {
		return nil, exit(ExitUsage, "the key is sealed: name the configuration of its station with --seal-with")
	}
	list, err := certs.ParseCertificates(certificates)
	if err != nil {
		return nil, err
	}
	signer, err := certs.OpenKey(key, list[0], sealer)
	if err != nil {
		return nil, err
	}
	return certs.NewPair(signer, list)
}

// partner reads the partner's certificates; none when the flag is not given.
func (i *identity) partner() ([]*x509.Certificate, error) {
	if i.partnerCert == "" {
		return nil, nil
	}
	b, err := readInput(i.partnerCert)
	if err != nil {
		return nil, err
	}
	cs, err := certs.ParseCertificates(b)
	if err != nil {
		return nil, fmt.Errorf("--partner-cert %s: %w", i.partnerCert, err)
	}
	return cs, nil
}

// maxSmallInput bounds keys and certificates given on the command line.
const maxSmallInput = 4 << 20

// readInput reads a small file the operator named.
func readInput(name string) ([]byte, error) {
	f, err := openInput(nil, name)
	if err != nil {
		return nil, err
	}
	return readSmall(f, name)
}

// readSmall reads f to its end and closes it.
func readSmall(f io.ReadCloser, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(f, maxSmallInput+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > maxSmallInput {
		return nil, exit(ExitFailed, "%s is larger than %d bytes: is it the right file?", name, maxSmallInput)
	}
	return b, nil
}

// openInput opens a file the operator named; "-" is stdin, when there is one.
func openInput(stdin io.Reader, name string) (io.ReadCloser, error) {
	if name == "-" && stdin != nil {
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(name) // #nosec G304 -- the operator names the file
	if errors.Is(err, os.ErrNotExist) {
		return nil, exit(ExitNotFound, "there is no file %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return f, nil
}

// writeOutput writes a file the operator named; "-" is stdout. The file
// appears whole under its name or not at all.
func (e *Env) writeOutput(name string, write func(io.Writer) error) (err error) {
	if name == "-" {
		return write(e.Stdout)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // closed already, or of no use any more
			_ = os.Remove(f.Name()) // half a file helps nobody
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// copyPayload writes one payload.
func copyPayload(p as2.Payload) func(io.Writer) error {
	return func(w io.Writer) error {
		r, err := p.Open()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		return err
	}
}

// row is one line of a text answer.
type row struct{ name, value string }

// writeRows prints the rows that have a value, aligned.
func writeRows(w io.Writer, rows []row) error {
	width := 0
	for _, r := range rows {
		if r.value != "" && len(r.name) > width {
			width = len(r.name)
		}
	}
	for _, r := range rows {
		if r.value == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, r.name, plain(r.value)); err != nil {
			return err
		}
	}
	return nil
}
