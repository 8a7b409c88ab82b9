package lab

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyPair is an ed25519 key in OpenSSH's formats.
type keyPair struct {
	private []byte // PEM
	public  string // authorized_keys line without a newline
	signer  ssh.Signer
}

func newKeyPair(comment string) (keyPair, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keyPair{}, err
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return keyPair{}, err
	}
	return parseKeyPair(pem.EncodeToMemory(block), comment)
}

func parseKeyPair(private []byte, comment string) (keyPair, error) {
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return keyPair{}, err
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + comment
	return keyPair{private: private, public: public, signer: signer}, nil
}

// clientKey returns the key of the lab's folder, made when it is first needed.
func clientKey(dir string) (keyPair, error) {
	const comment = "redislb-lab"
	path := filepath.Join(dir, keyFile)
	private, err := os.ReadFile(path)
	if err == nil {
		pair, err := parseKeyPair(private, comment)
		if err != nil {
			return keyPair{}, fmt.Errorf("lab key %s: %w; remove it to get a new one", path, err)
		}
		return pair, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return keyPair{}, err
	}
	pair, err := newKeyPair(comment)
	if err != nil {
		return keyPair{}, err
	}
	return pair, errors.Join(
		os.WriteFile(path, pair.private, 0o600),
		os.WriteFile(path+".pub", []byte(pair.public+"\n"), 0o644))
}
