package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/worker"
)

// secretsFlag says where a worker finds the secrets that steps name, beside its
// environment.
func secretsFlag(flags *pflag.FlagSet, dir *string) {
	flags.Func("secrets", "`DIR` with a file for each secret that steps name (else: DEED_SECRET_NAME in the environment)", func(text string) error {
		switch info, err := os.Stat(text); {
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is no directory; name the one that the files of secrets lie in", text)
		}
		*dir = text
		return nil
	})
}

// allowEnvFlag says what steps may set for the programs that a worker allows.
func allowEnvFlag(flags *pflag.FlagSet, o *deed.Options) {
	flags.StringSliceVar(&o.AllowEnv, "allow-env", nil,
		"`PATTERN` of the variables that a step may set for a program that --allow names, such as 'PG*'; may be repeated (default: none)")
}

// checkAllowEnv refuses patterns that are none.
func checkAllowEnv(o deed.Options) error {
	if err := worker.CheckAllowEnv(o.AllowEnv); err != nil {
		return usagef("--%w", err)
	}
	return nil
}
