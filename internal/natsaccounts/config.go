package natsaccounts

import (
	"fmt"
	"strings"
)

// mark is the first line of what Config writes.
const mark = "# Written by `deed auth nats`, which writes it anew: changes are lost."

// answersWithin is how long a request for tasks may go on without an answer until
// the server forgets where its answers go: longer than any request stands (10 s),
// and not much longer, since it remembers each for so long.
const answersWithin = "15s"

// config is the accounts as a file that a nats-server's configuration includes.
func config(accounts []account) string {
	var b strings.Builder
	b.WriteString(mark + "\n# Include it in the configuration of each nats-server. It names public keys: it is no secret.\n\naccounts {\n")
	for _, a := range accounts {
		fmt.Fprintf(&b, "  %s {\n", a.Name)
		if a.JetStream {
			b.WriteString("    jetstream: enabled\n")
		}
		list(&b, "users", a.Users, writeUser)
		list(&b, "exports", a.Exports, func(b *strings.Builder, e export) {
			more := ""
			if e.Stream {
				more = ", response_type: stream, response_threshold: \"" + answersWithin + "\""
			}
			fmt.Fprintf(b, "{%s: %q%s, accounts: [%s]}", kind(e.Hear), e.Subject, more, strings.Join(e.To, ", "))
		})
		list(&b, "imports", a.Imports, func(b *strings.Builder, i imported) {
			as := ""
			if i.As != "" {
				as = fmt.Sprintf(", to: %q", i.As)
			}
			fmt.Fprintf(b, "{%s: {account: %s, subject: %q}%s}", kind(i.Hear), mainAccount, i.Subject, as)
		})
		b.WriteString("  }\n")
	}
	fmt.Fprintf(&b, "}\nsystem_account: %s\n", systemAccount)
	return b.String()
}

// written reports whether Config wrote a text.
func written(text string) bool { return strings.HasPrefix(text, mark) }

func kind(hear bool) string {
	if hear {
		return "stream"
	}
	return "service"
}

func list[T any](b *strings.Builder, name string, all []T, write func(*strings.Builder, T)) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "    %s: [\n", name)
	for _, one := range all {
		b.WriteString("      ")
		write(b, one)
		b.WriteString("\n")
	}
	b.WriteString("    ]\n")
}

func writeUser(b *strings.Builder, u user) {
	fmt.Fprintf(b, "# %s\n      {nkey: %s", u.Name, u.Key)
	if u.Publish != nil {
		fmt.Fprintf(b, ", permissions: {\n        publish: {allow: [%s]}\n        subscribe: {allow: [%s]}\n      }", quoted(u.Publish), quoted(u.Subscribe))
	}
	b.WriteString("}")
}

func quoted(subjects []string) string {
	all := make([]string, len(subjects))
	for i, s := range subjects {
		all[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(all, ", ")
}
