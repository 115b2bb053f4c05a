package main

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	ordersv1 "example.com/shop/internal/gen/orders/v1"
	"example.com/shop/internal/httpx"
	"example.com/shop/internal/money/moneypb"
	"example.com/shop/internal/shopapi"
)

// handlers turn HTTP requests into gRPC calls.
type handlers struct {
	log     zerolog.Logger
	catalog catalogv1.CatalogServiceClient
	orders  ordersv1.OrderServiceClient
}

func (h *handlers) register(r chi.Router) {
	r.Get("/products", h.listProducts)
	r.Get("/products/{sku}", h.getProduct)
	r.Get("/orders", h.listOrders)
	r.Post("/orders", h.placeOrder)
	r.Get("/orders/{id}", h.getOrder)
}

func (h *handlers) listProducts(w http.ResponseWriter, r *http.Request) {
	res, err := h.catalog.ListProducts(r.Context(), &catalogv1.ListProductsRequest{})
	if err != nil {
		h.fail(w, err)
		return
	}
	list := shopapi.ProductList{Products: []shopapi.Product{}}
	for _, p := range res.GetProducts() {
		list.Products = append(list.Products, product(p))
	}
	httpx.JSON(w, http.StatusOK, list)
}

func (h *handlers) getProduct(w http.ResponseWriter, r *http.Request) {
	res, err := h.catalog.GetProduct(r.Context(), &catalogv1.GetProductRequest{Sku: chi.URLParam(r, "sku")})
	if err != nil {
		h.fail(w, err)
		return
	}
	httpx.JSON(w, http.StatusOK, product(res.GetProduct()))
}

func (h *handlers) placeOrder(w http.ResponseWriter, r *http.Request) {
	var body shopapi.NewOrder
	if err := httpx.Decode(w, r, &body); err != nil {
		httpx.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	req := &ordersv1.PlaceOrderRequest{}
	for _, line := range body.Lines {
		req.Lines = append(req.Lines, &ordersv1.RequestedLine{Sku: line.SKU, Quantity: clamp(line.Quantity)})
	}
	res, err := h.orders.PlaceOrder(r.Context(), req)
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("Location", "/orders/"+res.GetOrder().GetId())
	httpx.JSON(w, http.StatusCreated, order(res.GetOrder()))
}

func (h *handlers) getOrder(w http.ResponseWriter, r *http.Request) {
	res, err := h.orders.GetOrder(r.Context(), &ordersv1.GetOrderRequest{Id: chi.URLParam(r, "id")})
	if err != nil {
		h.fail(w, err)
		return
	}
	httpx.JSON(w, http.StatusOK, order(res.GetOrder()))
}

func (h *handlers) listOrders(w http.ResponseWriter, r *http.Request) {
	var limit int
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			httpx.Error(w, http.StatusBadRequest, "limit: expected a number from 1")
			return
		}
	}
	res, err := h.orders.ListOrders(r.Context(), &ordersv1.ListOrdersRequest{Limit: clamp(limit)})
	if err != nil {
		h.fail(w, err)
		return
	}
	list := shopapi.OrderList{Orders: []shopapi.Order{}}
	for _, o := range res.GetOrders() {
		list.Orders = append(list.Orders, order(o))
	}
	httpx.JSON(w, http.StatusOK, list)
}

// fail answers with the HTTP status that fits the gRPC one.
// The messages of the caller's own mistakes are passed on, all others only logged.
func (h *handlers) fail(w http.ResponseWriter, err error) {
	message := status.Convert(err).Message()
	switch code := status.Code(err); code {
	case codes.NotFound:
		httpx.Error(w, http.StatusNotFound, message)
	case codes.InvalidArgument:
		httpx.Error(w, http.StatusBadRequest, message)
	case codes.FailedPrecondition:
		httpx.Error(w, http.StatusConflict, message)
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable:
		h.log.Warn().Err(err).Msg("a service behind this one does not answer")
		httpx.Error(w, http.StatusServiceUnavailable, "try again later")
	default:
		h.log.Error().Err(err).Msg("a service behind this one failed")
		httpx.Error(w, http.StatusBadGateway, "internal error")
	}
}

func product(p *catalogv1.Product) shopapi.Product {
	return shopapi.Product{
		SKU:         p.GetSku(),
		Name:        p.GetName(),
		Description: p.GetDescription(),
		Price:       moneypb.From(p.GetPrice()),
		Stock:       int(p.GetStock()),
	}
}

func order(o *ordersv1.Order) shopapi.Order {
	out := shopapi.Order{
		ID:        o.GetId(),
		Status:    strings.ToLower(strings.TrimPrefix(o.GetStatus().String(), "ORDER_STATUS_")),
		Reason:    o.GetReason(),
		CreatedAt: o.GetCreatedAt().AsTime(),
		Lines:     []shopapi.OrderLine{},
		Total:     moneypb.From(o.GetTotal()),
	}
	for _, line := range o.GetLines() {
		out.Lines = append(out.Lines, shopapi.OrderLine{
			SKU:       line.GetSku(),
			Name:      line.GetName(),
			Quantity:  int(line.GetQuantity()),
			UnitPrice: moneypb.From(line.GetUnitPrice()),
		})
	}
	return out
}

// clamp fits a number into the wire's; what is out of range stays out of the accepted range.
func clamp(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }
