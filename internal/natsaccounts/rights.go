package natsaccounts

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/deedrun/deed/internal/natsconn"
	"github.com/deedrun/deed/queue"
)

const (
	ownAPI      = "$JS.API."
	nextMessage = ownAPI + "CONSUMER.MSG.NEXT."
)

// works is all that workers of a pool may do: take its tasks, say what became of
// them and that they live, and hear what is said to workers.
func works(pool string) []imported {
	lane := cmp.Or(pool, queue.DefaultLane)
	return []imported{
		asked(nextMessage + "deed-work.pool-" + lane),
		asked(ownAPI + "CONSUMER.INFO.deed-work.pool-" + queue.DefaultLane), // it has the lease
		{Subject: "$JS.ACK.deed-work.pool-" + lane + ".>"},
		{Subject: "deed.queue.inbox.*." + queue.Reports + ".*", Only: reports()},
		{Subject: "deed.queue.quarantine." + queue.Undecodable},
		{Subject: "deed.signal.heartbeat"},
		{Subject: "deed.signal.cancel", Hear: true},
		{Subject: "deed.signal.rollcall", Hear: true},
		{Subject: "deed.signal.drain", Hear: true},
	}
}

// reports is where the reports of each shard lie. What lay at another number
// nobody would ever take out.
func reports() (all []string) {
	for shard := range queue.ShardCount {
		all = append(all, fmt.Sprintf("deed.queue.inbox.%02d.%s.*", shard, queue.Reports))
	}
	return all
}

// looks is all that who monitors may do.
var looks = []imported{
	asked(ownAPI + "INFO"),
	asked(ownAPI + "STREAM.NAMES"),
	asked(ownAPI + "STREAM.LIST"),
	asked(ownAPI + "STREAM.INFO.*"),
	asked(ownAPI + "CONSUMER.NAMES.*"),
	asked(ownAPI + "CONSUMER.LIST.*"),
	asked(ownAPI + "CONSUMER.INFO.*.*"),
	{Subject: "deed.signal.heartbeat", Hear: true},
	{Subject: "deed.signal.replica", Hear: true},
}

// asked is a request to the JetStream of the account DEED.
func asked(subject string) imported {
	return imported{Subject: subject, As: natsconn.ImportedAPI + "." + strings.TrimPrefix(subject, ownAPI)}
}
