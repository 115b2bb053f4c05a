package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// A company's own certificate authority, one certificate for all its servers and
// one for its people.
type authority struct {
	server      tls.Certificate
	pool        *x509.CertPool
	caFile      string
	clientFiles [2]string
}

func newAuthority(dir string, hosts []string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := template(1, "Corp Example CA")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}
	made := &authority{pool: x509.NewCertPool(), caFile: filepath.Join(dir, "ca.pem")}
	made.pool.AddCert(ca)
	if err := writePEM(made.caFile, "CERTIFICATE", caDER); err != nil {
		return nil, err
	}

	leaf := func(serial int64, name string, use x509.ExtKeyUsage, hosts []string) ([]byte, *ecdsa.PrivateKey, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		certificate := template(serial, name)
		certificate.DNSNames, certificate.ExtKeyUsage = hosts, []x509.ExtKeyUsage{use}
		der, err := x509.CreateCertificate(rand.Reader, certificate, ca, key.Public(), caKey)
		return der, key, err
	}
	der, key, err := leaf(2, "servers", x509.ExtKeyUsageServerAuth, hosts)
	if err != nil {
		return nil, err
	}
	made.server = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}

	der, key, err = leaf(3, "a developer", x509.ExtKeyUsageClientAuth, nil)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	made.clientFiles = [2]string{filepath.Join(dir, "client.pem"), filepath.Join(dir, "client-key.pem")}
	if err := writePEM(made.clientFiles[0], "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return made, writePEM(made.clientFiles[1], "PRIVATE KEY", keyDER)
}

func template(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
