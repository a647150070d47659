package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deedrun/deed"
)

// standAgain is how long a role waits before it looks for its server again.
const standAgain = time.Second / 2

// stand does what a role does with one server after the other, until ctx ends:
// whoever supervises it need not know in which order they start. during ends
// with the server or with ctx. An error is one that waiting does not help.
func (a *app) stand(ctx context.Context, o deed.Options, during func(ctx context.Context, r *deed.Runtime) error) error {
	said := ""
	for {
		r, err := deed.Open(ctx, o)
		var unreachable *deed.UnreachableError
		var noFolder *deed.NoFolderError
		switch {
		case ctx.Err() != nil:
			if err == nil {
				r.Close()
			}
			return nil
		case err == nil:
			said = ""
			err = during(ctx, r)
			r.Close()
			if err != nil {
				return err
			}
		case !errors.As(err, &unreachable) && !errors.As(err, &noFolder):
			return err
		case err.Error() != said:
			said = err.Error()
			fmt.Fprintf(a.stderr, "waiting for %s: %v\n", standsOn(o), err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(standAgain):
		}
	}
}

// standsOn is what a role needs, for people.
func standsOn(o deed.Options) string {
	if o.Dir != "" {
		return "the folder " + o.Dir
	}
	return hidden(o.Server)
}
