package metrics

import "github.com/prometheus/client_golang/prometheus"

// Catalogue is every metric there is, by role.
var Catalogue = catalogue

// Gather is what a scrape would tell.
func (r *Registry) Gather() *prometheus.Registry { return r.all }
