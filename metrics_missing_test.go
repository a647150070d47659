package deed

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func TestAServerThatIsAwayOrBehindIsAMissingReplica(t *testing.T) {
	on := func(replicas int, leader string, peers ...*jetstream.PeerInfo) *jetstream.StreamInfo {
		return &jetstream.StreamInfo{
			Config: jetstream.StreamConfig{Replicas: replicas}, Cluster: &jetstream.ClusterInfo{Leader: leader, Replicas: peers},
		}
	}
	there, behind, away := &jetstream.PeerInfo{Current: true}, &jetstream.PeerInfo{}, &jetstream.PeerInfo{Current: true, Offline: true}
	require.Zero(t, missingReplicas(&jetstream.StreamInfo{}), "a single server")
	require.Zero(t, missingReplicas(on(1, "")), "one of a cluster")
	require.Zero(t, missingReplicas(on(3, "a", there, there)))
	require.Equal(t, 1, missingReplicas(on(3, "a", there, behind)))
	require.Equal(t, 2, missingReplicas(on(3, "a", away, behind)))
	require.Equal(t, 2, missingReplicas(on(3, "a")), "the servers do not say who the others are")
	require.Equal(t, 3, missingReplicas(on(3, "")), "it has no leader")
}
