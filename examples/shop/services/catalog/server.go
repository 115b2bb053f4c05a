package main

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/shop/internal/catalog"
	catalogv1 "example.com/shop/internal/gen/catalog/v1"
	"example.com/shop/internal/money/moneypb"
)

// catalogServer answers CatalogService from a store.
type catalogServer struct {
	catalogv1.UnimplementedCatalogServiceServer
	products catalog.Store
}

func (s *catalogServer) ListProducts(ctx context.Context, _ *catalogv1.ListProductsRequest) (*catalogv1.ListProductsResponse, error) {
	products, err := s.products.List(ctx)
	if err != nil {
		return nil, err
	}
	res := &catalogv1.ListProductsResponse{}
	for _, p := range products {
		res.Products = append(res.Products, toProto(p))
	}
	return res, nil
}

func (s *catalogServer) GetProduct(ctx context.Context, req *catalogv1.GetProductRequest) (*catalogv1.GetProductResponse, error) {
	product, err := s.products.Get(ctx, req.GetSku())
	if err != nil {
		return nil, withStatus(err)
	}
	return &catalogv1.GetProductResponse{Product: toProto(product)}, nil
}

func (s *catalogServer) ReserveStock(ctx context.Context, req *catalogv1.ReserveStockRequest) (*catalogv1.ReserveStockResponse, error) {
	if req.GetOrderId() == "" || len(req.GetLines()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "an order id and at least one line are needed")
	}
	var lines []catalog.Line
	for _, line := range req.GetLines() {
		if line.GetQuantity() < 1 {
			return nil, status.Errorf(codes.InvalidArgument, "quantity of %s must be more than zero", line.GetSku())
		}
		lines = append(lines, catalog.Line{SKU: line.GetSku(), Quantity: int(line.GetQuantity())})
	}
	if err := s.products.Reserve(ctx, req.GetOrderId(), lines); err != nil {
		return nil, withStatus(err)
	}
	return &catalogv1.ReserveStockResponse{}, nil
}

func toProto(p catalog.Product) *catalogv1.Product {
	return &catalogv1.Product{
		Sku:         p.SKU,
		Name:        p.Name,
		Description: p.Description,
		Price:       moneypb.To(p.Price),
		Stock:       int32(p.Stock),
	}
}

// withStatus gives the caller's errors a status and leaves our own as they are.
func withStatus(err error) error {
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, catalog.ErrOutOfStock):
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	return err
}
