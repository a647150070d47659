// Package natsaccounts says what each role of deed may do on a NATS server, as
// accounts and users of that server's configuration.
//
//	DEED            orchestrators; JetStream: events, queues
//	DEED_WORKER…    an account a pool of workers, without JetStream
//	DEED_MONITOR    who only looks
//	SYS             the server's own: operators of NATS
//
// That workers are in accounts of their own, and not only users with few
// permissions, has a reason: a server answers to whatever subject a request names,
// whoever may publish there. In one account a worker could have the
// acknowledgement of a report sent to the subject of an event stream, and so
// write into it. An answer never leaves the account of who asked.
package natsaccounts

import (
	"maps"
	"slices"
	"strings"

	"github.com/deedrun/deed/internal/natsconn"
)

// account is an account of the configuration.
type account struct {
	Name      string
	JetStream bool
	Users     []user
	Exports   []export   // what other accounts may do in this one
	Imports   []imported // of the account DEED
}

// user is a user of an account, by its public nkey.
type user struct {
	Name      string // for people
	Key       string
	Publish   []string // all that it may publish to; nil: anything
	Subscribe []string
}

// export lets accounts do one thing in this account: publish to a subject and be
// answered (a service), or hear what is published there.
type export struct {
	Subject string
	Hear    bool
	Stream  bool // of answers: a request may have several
	To      []string
}

// imported is an Export as the other account sees it.
type imported struct {
	Subject string
	Hear    bool
	As      string // its name here; "": the same

	// Only is what of a subject with wildcards users may publish to; nil: all of it.
	Only []string
}

// keyring are the public nkeys of who is to have access; the former of a user that
// has two counts until it is dropped.
type keyring struct {
	Orchestrator, Monitor, System []string
	Workers                       map[string][]string // by pool; "": those that name none
}

const (
	mainAccount    = "DEED"
	monitorAccount = "DEED_MONITOR"
	systemAccount  = "SYS"
)

// accountsOf is the accounts for the holders of keys.
func accountsOf(keys keyring) []account {
	deed := account{Name: mainAccount, JetStream: true}
	for _, key := range keys.Orchestrator {
		deed.Users = append(deed.Users, user{
			Name: "orchestrator", Key: key,
			Publish: []string{"deed.>", "$JS.API.>", "$JS.ACK.>", "$JS.FC.>"}, Subscribe: []string{"deed.signal.>", answers(key)},
		})
	}
	others := []account{{Name: monitorAccount, Imports: looks}}
	for _, key := range keys.Monitor {
		others[0].Users = append(others[0].Users, limited("monitor", key, looks))
	}
	for _, pool := range slices.Sorted(maps.Keys(keys.Workers)) {
		does := works(pool)
		account := account{Name: workerAccount(pool), Imports: does}
		for _, key := range keys.Workers[pool] {
			account.Users = append(account.Users, limited(workerName(pool), key, does))
		}
		others = append(others, account)
	}
	deed.Exports = exports(others)
	system := account{Name: systemAccount}
	for _, key := range keys.System {
		system.Users = append(system.Users, user{Name: "system", Key: key})
	}
	return slices.Concat([]account{deed}, others, []account{system})
}

// limited is a user that may do what its account imports, and nothing else:
// those of one account cannot speak with each other either.
func limited(name, key string, does []imported) user {
	u := user{Name: name, Key: key, Subscribe: []string{answers(key)}}
	for _, i := range does {
		if i.Hear {
			u.Subscribe = append(u.Subscribe, i.Subject)
		} else {
			u.Publish = append(u.Publish, i.here()...)
		}
	}
	return u
}

// here is what it allows, by the names that it has here.
func (i imported) here() []string {
	switch {
	case i.Only != nil:
		return i.Only
	case i.As != "":
		return []string{i.As}
	default:
		return []string{i.Subject}
	}
}

// answers is where a user is answered.
func answers(key string) string { return natsconn.InboxPrefix(key) + ".>" }

// exports are what accounts import, each once.
func exports(of []account) (all []export) {
	for _, account := range of {
		for _, i := range account.Imports {
			at := slices.IndexFunc(all, func(e export) bool { return e.Subject == i.Subject && e.Hear == i.Hear })
			if at < 0 {
				at = len(all)
				all = append(all, export{Subject: i.Subject, Hear: i.Hear, Stream: strings.HasPrefix(i.Subject, nextMessage)})
			}
			all[at].To = append(all[at].To, account.Name)
		}
	}
	return all
}

// workerName names the workers of a pool, and the file with their seed.
func workerName(pool string) string {
	if pool == "" {
		return "worker"
	}
	return "worker-" + pool
}

func workerAccount(pool string) string {
	return mainAccount + "_" + strings.ToUpper(strings.ReplaceAll(workerName(pool), "-", "_"))
}
