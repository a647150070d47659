package natsproc

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/deedrun/deed/internal/natsconn"
)

// serveNode serves as one node of a cluster, with a server's own settings: in a
// cluster it is the replicas that keep what was acknowledged. It says where it
// is as soon as clients can connect; that the nodes have found each other is
// for who uses them to await.
func serveNode(o Options) error {
	host, port, err := split(o.Listen)
	if err != nil {
		return err
	}
	clusterHost, clusterPort, err := split(o.Node.Listen)
	if err != nil {
		return err
	}
	options := &server.Options{
		ServerName: o.Node.Name, Host: host, Port: port, NoSigs: true, Authorization: o.Token,
		JetStream: true, StoreDir: o.Dir, MaxPayload: natsconn.DefaultMaxPayload, MaxPending: 64 << 20,
		// Who is cut off is found out within a few seconds, by clients and by nodes.
		PingInterval: time.Second, MaxPingsOut: 2,
		Cluster: server.ClusterOpts{Name: "deed", Host: clusterHost, Port: clusterPort, PingInterval: time.Second, MaxPingsOut: 2},
	}
	for _, r := range o.Node.Routes {
		options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: r})
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return err
	}
	srv.Start()
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	if !srv.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("node %s is not ready after 30s", o.Node.Name)
	}
	fmt.Fprintln(os.Stdout, "nats://"+o.Listen)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func split(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}
