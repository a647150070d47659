package esdbtest

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// cluster is the nodes over one log: replication without delay.
type cluster struct {
	log *log

	mu      sync.Mutex
	nodes   []*Server
	leader  *Server       // nil: none is elected
	changed chan struct{} // closed and replaced when another one leads
}

func (c *cluster) join(s *Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, s)
}

func (c *cluster) lead(s *Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leader = s
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *cluster) leading() (*Server, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader, c.changed
}

// Lead makes this node the leader. What needs the leader ends on the others.
func (s *Server) Lead() { s.cluster.lead(s) }

// Leaderless takes the leader away: what needs one is refused everywhere.
func (s *Server) Leaderless() { s.cluster.lead(nil) }

// mustLead refuses a call that asks for the leader if this node is not it, and
// says who is.
func (s *Server) mustLead(ctx context.Context, trailer func(metadata.MD)) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if wants := md.Get("requires-leader"); len(wants) == 0 || wants[0] != "true" {
		return nil
	}
	leader, _ := s.cluster.leading()
	switch leader {
	case s:
		return nil
	case nil:
		return status.Error(codes.NotFound, "No leader info available in response")
	}
	host, port, err := net.SplitHostPort(leader.Address())
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	trailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
	return status.Error(codes.NotFound, "Leader info available")
}

// features answers what a client asks first.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
	server *Server
}

func (f *features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: f.server.options.Version}, nil
}

// members answers who is in the cluster.
type members struct {
	gossip.UnimplementedGossipServer
	server *Server
}

func (m *members) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	c := m.server.cluster
	c.mu.Lock()
	nodes, leader := slices.Clone(c.nodes), c.leader
	c.mu.Unlock()
	info := &gossip.ClusterInfo{}
	for _, s := range nodes {
		s.mu.Lock()
		address, alive := s.address, s.running != nil
		s.mu.Unlock()
		host, text, err := net.SplitHostPort(address)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		state := gossip.MemberInfo_Follower
		if s == leader {
			state = gossip.MemberInfo_Leader
		}
		info.Members = append(info.Members, &gossip.MemberInfo{
			State: state, IsAlive: alive, HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(port)},
		})
	}
	return info, nil
}

// trailerOf sets the trailer of a call that is answered once.
func trailerOf(ctx context.Context) func(metadata.MD) {
	return func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) } // it fails only outside a call
}
