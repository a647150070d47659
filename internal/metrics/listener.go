package metrics

import "time"

// Listener is what is to be seen of who listens with a certificate. A nil one
// sees nothing.
type Listener struct{ now sources[func() time.Time] }

func newListener(r *Registry) *Listener {
	m := &Listener{}
	r.read(m.tell, "deed_certificate_expiry_timestamp_seconds")
	return m
}

// Attach says where to look for when the certificate ends; zero: it is not known.
func (m *Listener) Attach(ends func() time.Time) (detach func()) {
	if m == nil {
		return func() {}
	}
	return m.now.attach(ends)
}

// tell tells of the certificate that ends first.
func (m *Listener) tell(tell func(name string, value float64, labels ...string)) {
	var first time.Time
	for _, look := range m.now.each() {
		if ends := look(); !ends.IsZero() && (first.IsZero() || ends.Before(first)) {
			first = ends
		}
	}
	if !first.IsZero() {
		tell("deed_certificate_expiry_timestamp_seconds", float64(first.Unix()))
	}
}
