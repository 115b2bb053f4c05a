// Package kube needs most of a Kubernetes client: typed clients and informers of all kinds.
package kube

import (
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
)

// What programs refer to is linked in.
var (
	New     = kubernetes.NewForConfig
	Factory = informers.NewSharedInformerFactory
	Dynamic = dynamic.NewForConfig
)
