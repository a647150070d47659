package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deedrun/deed/api"
	"github.com/deedrun/deed/api/client"
)

func (a *app) ready() *cobra.Command {
	var within time.Duration
	cmd := &cobra.Command{
		Use:   "ready",
		Short: "Ask a server or a worker whether it is ready, once",
		Long: `Ready asks /readyz, once, and ends: with 0 if what answers can be worked with,
with another code and the reason if not. It is for whoever supervises containers
without a shell. Of a server it asks at the address of its API, of a worker at that
of its --metrics. It needs no token.`,
		Example: `  deed ready
  deed ready --server https://localhost:8420 --ca-file ca.crt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), within)
			defer cancel()
			o, err := a.clientOptions()
			if err != nil {
				return err
			}
			o.Token = "" // whoever answers is not told who asks
			c, err := client.New(a.server, o)
			if err != nil {
				return &usageError{err}
			}
			defer c.Close()
			if err := c.Ready(ctx); err != nil {
				return fmt.Errorf("not ready: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&a.server, "server", "http://"+api.DefaultAddress, "`URL` of what is asked")
	cmd.Flags().StringVar(&a.lock.caFile, "ca-file", "", "`FILE` with the authority of the certificate of --server (PEM), if it is one of your own")
	cmd.Flags().DurationVar(&within, "timeout", 3*time.Second, "how long the answer may take")
	return cmd
}
