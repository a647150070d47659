package main

import (
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoMeetsACertificateOutOfItsTimeIsToldWhatMayBeWrong(t *testing.T) {
	t.Parallel()
	a := &app{server: "https://deed.example.org"}
	expired := fmt.Errorf("not spoken to: %w", x509.CertificateInvalidError{Reason: x509.Expired})
	require.Contains(t, a.remedy(expired), "if the clock of this machine is right, the server needs a new certificate")
	require.Empty(t, a.remedy(x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}))
}
