package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deedrun/deed"
)

// natsFlags declares how a role is known to the servers of --nats, and these to it.
func natsFlags(flags *pflag.FlagSet, c *deed.NATSCredentials) {
	flags.StringVar(&c.NKeyFile, "nats-nkey", "", "`FILE` with the nkey of this role, as deed auth nats makes it")
	flags.StringVar(&c.CredsFile, "nats-creds", "", "`FILE` with credentials of NATS, a JWT and its key, instead")
	flags.StringVar(&c.CAFile, "nats-ca", "", "`FILE` with the certificate of who signed that of the NATS server (default: those that the system knows)")
}

// checkNATS refuses credentials that are for nothing, or that say two things.
func checkNATS(o deed.Options) error {
	switch {
	case o.Server == "" && o.NATS != deed.NATSCredentials{}:
		return usagef("--nats-nkey, --nats-creds and --nats-ca are for the servers of --nats: give that, too")
	case o.NATS.NKeyFile != "" && o.NATS.CredsFile != "":
		return usagef("--nats-nkey and --nats-creds are two ways to say who this is: give one")
	}
	return nil
}

// workersKeyName is the flag of who starts workers: it asks and keeps records,
// which they may not.
const workersKeyName = "worker-nats-nkey"

func workersKeyFlag(flags *pflag.FlagSet) {
	flags.String(workersKeyName, "", "`FILE` with the nkey of the workers that it starts; --nats-nkey, then, is its own, and that of an orchestrator")
}

// workersKey is what workers are told instead of how their starter is known.
func workersKey(cmd *cobra.Command) []string {
	key := valueOf(cmd, workersKeyName)
	if key == "" {
		return nil
	}
	return []string{"--nats-creds=", "--nats-nkey=" + key} // what is said last counts
}
