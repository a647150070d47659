package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/internal/upkeep"
)

// entranceOptions are where the API listens, and whom it lets in.
type entranceOptions struct {
	listen          string
	tlsCert, tlsKey string
	adminTokenFile  string
	requireToken    bool
}

func (o *entranceOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", api.DefaultAddress, "`HOST:PORT` of the API; one that other machines can reach needs --tls-cert and --tls-key; port 0 takes any that is free")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "`FILE` with the certificate of the API and its chain (PEM); read again when it changes")
	flags.StringVar(&o.tlsKey, "tls-key", "", "`FILE` with the key of the certificate")
	flags.BoolVar(&o.requireToken, "require-token", false, "ask for a token also on an address that only this machine can reach")
	flags.StringVar(&o.adminTokenFile, "admin-token-file", "", "`FILE` with a token of 20 characters or more whose bearer is an admin, beside those of deed auth token; read again when it changes")
}

func (o *entranceOptions) check() error {
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return usagef("--tls-cert and --tls-key belong together: give both")
	}
	return nil
}

// entrance is where the API of this process listens.
type entrance struct {
	net.Listener
	url          string
	certificate  *api.Certificate // nil: it speaks http
	admin        *access.File     // nil: nobody is an admin by a file
	requireToken bool
}

func (a *app) enter(ctx context.Context, o entranceOptions, log *slog.Logger) (*entrance, error) {
	e := &entrance{}
	var err error
	if o.adminTokenFile != "" {
		if e.admin, err = access.NewFile(o.adminTokenFile, log); err != nil {
			return nil, &usageError{fmt.Errorf("--admin-token-file: %w", err)}
		}
	}
	if o.tlsCert == "" {
		e.Listener, err = api.Listen(ctx, o.listen)
	} else if e.certificate, err = api.LoadCertificate(o.tlsCert, o.tlsKey, log); err == nil {
		e.Listener, err = api.ListenTLS(ctx, o.listen, e.certificate)
	}
	if err != nil {
		return nil, a.notListening(o.listen, err)
	}
	e.url, e.requireToken = api.URL(e, e.certificate), o.requireToken || !api.IsOpen(e)
	return e, nil
}

// options are those of the API that is behind the entrance.
func (e *entrance) options(r *deed.Runtime, log *slog.Logger) api.Options {
	o := api.Options{Runtime: r, Version: built().Version, Log: log, RequireToken: e.requireToken}
	if e.admin != nil {
		o.Access = e.admin
	}
	if e.certificate != nil {
		o.Hosts = e.certificate.Names
	}
	return o
}

// canBeOpened refuses an entrance that asks for tokens while there is none that
// it would take: nobody could change that through it. If the tokens cannot be
// read, which is not known now, it stays.
func (a *app) canBeOpened(ctx context.Context, e *entrance, r *deed.Runtime, o deed.Options) error {
	if !e.requireToken || e.admin != nil {
		return nil
	}
	tokens, err := upkeep.Of(r).Tokens(ctx)
	if err != nil {
		o.Log.Warn("who may come in is not known yet", "error", err)
		return nil
	}
	now := time.Now()
	if slices.ContainsFunc(tokens, func(t wire.Token) bool { return t.Opens(now) }) {
		return nil
	}
	first := "`" + program() + " auth token create --data " + quote(o.Dir) + " --name NAME --role admin` issues the first, or start it"
	if o.Dir == "" {
		first = "start it"
	}
	return &refusedError{fmt.Sprintf("%s asks for a token, and none has been issued: %s with --admin-token-file FILE; `(umask 077; openssl rand -hex 32 > FILE)` makes one", e.url, first)}
}
